"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, props = {}, ...inside) => {
    const one = Object.assign(document.createElement(tag), props);
    one.append(...inside);
    return one;
  };
  const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
  let state = null, item = null, drawn = null, busy = false, seen = 0, since = 0, shown = 0;
  let frames = [], player = null, changed = new Set();
  const sound = $("sound");

  async function get(path) {
    const reply = await fetch(path, { cache: "no-store" });
    if (!reply.ok) throw new Error(await reply.text());
    return reply.json();
  }
  const say = (text) => { $("message").textContent = text; };
  const lost = "The command has ended. Every answer that you went on from is saved. Start it again to go on.";

  // Time in sight: what passes while the page is hidden does not count.
  const clock = () => seen + (document.hidden || !since ? 0 : performance.now() - since);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { if (since) seen += performance.now() - since; since = 0; }
    else if (item) since = performance.now();
  });

  function answerOf(field) {
    const box = drawn[field.name];
    if (box.unsure.checked) return null;
    if (field.control === "one") return (box.inputs.find((i) => i.checked) || {}).value;
    if (field.control === "several") {
      const chosen = box.inputs.filter((i) => i.checked);
      if (!chosen.length) return undefined;
      return chosen.some((i) => i === box.none) ? [] : chosen.map((i) => i.value);
    }
    const text = box.inputs[0].value.trim();
    if (field.control === "number") return text === "" ? undefined : Number(text);
    return text === "" ? undefined : text;
  }
  const asked = () => state.fields.filter((f) => item.asks.includes(f.name));
  const active = () => {
    const inside = document.activeElement && document.activeElement.closest("fieldset");
    return (inside && asked().find((f) => drawn[f.name].set === inside)) ||
      asked().find((f) => answerOf(f) === undefined) || asked()[asked().length - 1];
  };
  function mark() {
    const now = active();
    for (const f of asked()) {
      drawn[f.name].set.classList.toggle("active", f === now && asked().length > 1);
      if (answerOf(f) !== undefined) drawn[f.name].set.classList.remove("missing");
    }
  }

  function option(type, group, value, text, key, more) {
    const input = make("input", { type, name: group, value });
    const words = make("span", {}, text);
    if (more) words.append(make("small", {}, more));
    const label = make("label", { className: "option" }, input, words);
    if (key) { label.append(make("kbd", { ariaHidden: "true" }, key)); input.setAttribute("aria-keyshortcuts", key); }
    return [label, input];
  }

  const writes = (field) => field.control === "number" || field.control === "text";
  const entry = (field) => drawn[field.name].inputs[0];

  function draw(field, number) {
    const group = "f" + number;
    const set = make("fieldset", {}, make("legend", {}, field.name.replaceAll("_", " ")));
    const row = make("div", { className: "options" + (field.options.length > 9 || Object.keys(field.definitions).length ? " wide" : "") });
    const box = { set, inputs: [], none: null, unsure: null };
    if (field.control === "one" || field.control === "several") {
      const type = field.control === "one" ? "radio" : "checkbox";
      field.options.forEach((value, at) => {
        const [label, input] = option(type, group, value, value, KEYS[at], field.definitions[value]);
        row.append(label);
        box.inputs.push(input);
      });
      if (field.control === "several") {
        const [label, input] = option(type, group, "", "none of these", "-");
        row.append(label);
        box.none = input;
        box.inputs.push(input);
      }
    } else if (field.control === "number") {
      const step = (field.high - field.low) / 100;
      const number = make("input", { type: "number", min: field.low, max: field.high, step: "any", inputMode: "decimal", ariaLabel: field.name + ", from " + field.low + " to " + field.high });
      const range = make("input", { type: "range", min: field.low, max: field.high, step, value: (field.low + field.high) / 2, ariaLabel: field.name + ", on a scale" });
      range.addEventListener("input", () => { number.value = String(Number(Number(range.value).toPrecision(6))); touched(field); });
      number.addEventListener("input", () => { if (number.value !== "") range.value = number.value; });
      set.append(make("div", { className: "number" }, range, number,
        make("div", { className: "ends" }, make("span", {}, String(field.low)), make("span", {}, String(field.high)))));
      box.inputs.push(number);
      box.range = range;
    } else {
      const area = make("textarea", { ariaLabel: field.name, maxLength: 10000 });
      set.append(area);
      box.inputs.push(area);
    }
    const [label, unsure] = option("checkbox", group + "u", "", "cannot tell", writes(field) ? "" : "0");
    label.classList.add("unsure");
    row.append(label);
    box.unsure = unsure;
    set.append(row);
    unsure.addEventListener("change", () => {
      if (unsure.checked) clear(box);
      touched(field);
    });
    for (const input of box.inputs) input.addEventListener("input", () => {
      unsure.checked = false;
      if (input === box.none && input.checked) box.inputs.forEach((i) => { if (i !== input) i.checked = false; });
      else if (box.none && input.checked) box.none.checked = false;
      touched(field);
    });
    return box;
  }
  function clear(box) {
    for (const i of box.inputs) { if (i.type === "radio" || i.type === "checkbox") i.checked = false; else i.value = ""; }
  }
  function touched(field) {
    if (field.control === "number" && drawn[field.name].inputs[0].value !== "") drawn[field.name].unsure.checked = false;
    changed.add(field.name);
    say("");
    mark();
  }
  function fill(field, answer) {
    const box = drawn[field.name];
    if (answer === undefined) return;
    if (answer === null) { box.unsure.checked = true; return; }
    if (field.control === "one") box.inputs.forEach((i) => { i.checked = i.value === answer; });
    else if (field.control === "several") {
      const chosen = answer.split("; ");
      box.inputs.forEach((i) => { i.checked = i !== box.none && chosen.includes(i.value); });
      if (answer === "none" && !field.options.includes("none")) box.none.checked = true;
    } else { box.inputs[0].value = answer; if (box.range) box.range.value = answer; }
  }

  // With a sound the frames follow its clock; it is loud only after the rater has touched the page (browsers see to that).
  const timesOf = () => item.times.length ? item.times : frames[0].map((_, at) => at * (item.sound / frames[0].length));
  async function playSound() {
    sound.playbackRate = Number($("speed").value);
    try { await sound.play(); if ($("message").textContent.startsWith("Press Play")) say(""); return true; }
    catch (error) { say("Press Play or Space to " + (item.clip ? "see and hear it." : "hear it.")); return false; }
  }
  async function playBoth() {
    const mine = item, times = timesOf(), last = frames[0].length - 1;
    if (shown >= last) showFrame(0);
    sound.currentTime = Math.min(times[shown], item.sound);
    player = setTimeout(() => {}, 0);
    if (!await playSound()) { stop(); return; }
    if (item !== mine || player === null) { sound.pause(); return; }
    const begun = performance.now() - 1000 * times[shown] / sound.playbackRate;
    const tick = () => {
      const now = sound.ended ? (performance.now() - begun) / 1000 * sound.playbackRate : sound.currentTime;
      let at = shown;
      while (at < last && times[at + 1] <= now) at++;
      if (at !== shown) showFrame(at);
      if (at >= last && (sound.ended || sound.paused)) { stop(); return; }
      player = setTimeout(tick, 15);
    };
    tick();
  }
  function stop() { sound.pause(); if (player) clearTimeout(player); player = null; $("play").setAttribute("aria-pressed", "false"); $("play").textContent = "Play"; }
  function showFrame(at) {
    shown = at;
    $("pictures").querySelectorAll("img").forEach((img, m) => { const list = frames[m]; img.src = list[Math.min(at, list.length - 1)]; });
    $("frame").value = String(at);
    const t = item.times[at];
    $("time").textContent = (at + 1) + " of " + frames[0].length + (t === undefined ? "" : ", " + t.toFixed(2) + " s");
    $("frame").setAttribute("aria-valuetext", $("time").textContent);
  }
  function play() {
    if (player) { stop(); return; }
    $("play").setAttribute("aria-pressed", "true");
    $("play").textContent = "Stop";
    if (item.sound !== null) { playBoth(); return; }
    const count = frames[0].length;
    if (shown >= count - 1) showFrame(0);
    const tick = () => {
      if (shown >= count - 1) { stop(); return; }
      const gap = item.times.length ? item.times[shown + 1] - item.times[shown] : 0.04;
      player = setTimeout(() => { showFrame(shown + 1); tick(); }, 1000 * gap / Number($("speed").value));
    };
    tick();
  }
  const step = (by) => { stop(); showFrame(Math.max(0, Math.min(frames[0].length - 1, shown + by))); };

  async function pictures(mine) {
    frames.flat().forEach((url) => URL.revokeObjectURL(url));
    frames = [];
    $("pictures").replaceChildren();
    $("pictures").hidden = !mine.media.length;
    for (let m = 0; m < mine.media.length; m++) {
      const list = await Promise.all(Array.from({ length: mine.media[m] }, async (_, f) => {
        const reply = await fetch("items/" + mine.at + "/" + m + "/" + f, { cache: "no-store" });
        if (!reply.ok) throw new Error("a picture could not be read");
        return URL.createObjectURL(await reply.blob());
      }));
      frames.push(list);
      const what = mine.clip ? "Clip" : mine.media.length > 1 ? "Picture " + "AB"[m] : "Picture";
      $("pictures").append(make("img", { src: list[0], alt: what + " to rate, item " + (mine.at + 1) }));
      if (!mine.clip) list.slice(1).forEach((src, n) => $("pictures").append(make("img", { src, alt: what + ", part " + (n + 2) })));
    }
    await Promise.all([...$("pictures").querySelectorAll("img")].map((img) => img.decode().catch(() => {})));
    const first = $("pictures").querySelector("img");
    $("pictures").className = ($("pictures").children.length > 1 ? "pair" : "") + (first && first.naturalWidth < 448 ? " small" : "");
  }

  async function hear(mine) {
    if (sound.src) { URL.revokeObjectURL(sound.src); sound.removeAttribute("src"); sound.load(); }
    sound.hidden = $("sound-keys").hidden = mine.sound === null || mine.clip;
    if (mine.sound === null) return;
    const reply = await fetch("items/" + mine.at + "/sound", { cache: "no-store" });
    if (!reply.ok) throw new Error("a sound could not be read");
    sound.src = URL.createObjectURL(await reply.blob());
    if (!mine.clip) playSound();
  }

  async function open(at) {
    stop();
    say("");
    item = await get("items/" + at);
    $("end").hidden = true;
    $("stage").hidden = $("form").hidden = false;
    $("question").hidden = !item.question;
    $("question").textContent = item.question || "";
    drawn = {};
    changed = new Set();
    $("form").replaceChildren(...asked().map((f, n) => (drawn[f.name] = draw(f, n)).set));
    for (const f of asked()) fill(f, item.answers[f.name]);
    $("player").hidden = $("clip-keys").hidden = true;
    tell(item.done);
    $("note").hidden = true;
    try { await hear(item.failure ? { sound: null } : item); if (!item.failure) await pictures(item); else { frames = []; $("pictures").replaceChildren(); } }
    catch (error) { item.failure = "unreadable"; }
    if (item.failure) { $("note").hidden = false; $("note").textContent = "This item cannot be shown (" + item.failure + "). Next goes on without it."; }
    if (item.clip && !item.failure) {
      $("player").hidden = $("clip-keys").hidden = false;
      $("frame").max = String(frames[0].length - 1);
      showFrame(0);
      const said = [];
      if (!item.times.length && item.sound === null) said.push("Its speed is not known: played at 25 frames a second.");
      if (item.frames > frames[0].length) said.push(frames[0].length + " of " + item.frames + " frames, evenly spaced.");
      $("note").textContent = said.join(" ");
      $("note").hidden = !said.length;
      play();
    }
    $("back").disabled = at === 0;
    document.activeElement.blur();
    $("form").scrollTop = 0;
    seen = 0;
    since = document.hidden ? 0 : performance.now();
    toEntry();
    mark();
  }
  function tell(done) {
    state.done = done;
    $("place").textContent = "Item " + (item ? item.at + 1 : state.total) + " of " + state.total + ", " + done + " done";
    $("progress").max = state.total;
    $("progress").value = done;
  }
  function end() {
    stop();
    item = null;
    $("stage").hidden = $("form").hidden = true;
    $("end").hidden = false;
    $("next").disabled = true;
    $("back").disabled = false;
    $("place").textContent = "Done: " + state.done + " of " + state.total;
    const left = state.total - state.done;
    $("end").replaceChildren(make("h1", {}, left ? "Nothing left to show" : "All done. Thank you!"),
      make("p", {}, left ? left + " items could not be shown." : "Every answer is saved. You may close this page, or go back and change an answer."));
    $("end").focus();
  }

  // Writes what was changed; true where all went well.
  async function save() {
    if (!item || !changed.size) return true;
    const answers = {};
    for (const f of asked()) if (changed.has(f.name)) { const a = answerOf(f); if (a !== undefined) answers[f.name] = a; }
    if (!Object.keys(answers).length) return true;
    let reply;
    try {
      reply = await fetch("items/" + item.at, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ answers, seconds: clock() / 1000 }) });
    } catch (error) { say(lost); return false; }
    const said = await reply.json().catch(() => ({}));
    if (!reply.ok) { say(said.error || "The answer was not taken."); return false; }
    changed.clear();
    item.next = said.next;
    state.done = said.done;
    return true;
  }
  async function move(how) {
    if (busy || (!item && how !== "back")) return;
    busy = true;
    try {
      if (!item) { $("next").disabled = false; await open(state.total - 1); return; }
      if (how === "next" && !item.failure) {
        const lacking = asked().filter((f) => answerOf(f) === undefined);
        if (lacking.length) {
          lacking.forEach((f) => drawn[f.name].set.classList.add("missing"));
          if (!await save()) return;
          tell(state.done);
          drawn[lacking[0].name].set.scrollIntoView({ block: "nearest" });
          if (writes(lacking[0])) entry(lacking[0]).focus();
          say("Still to answer: " + lacking.map((f) => f.name.replaceAll("_", " ")).join(", ") + ". Choose “cannot tell” where you cannot.");
          return;
        }
      }
      if (!await save()) return;
      if (how === "back") { if (item.at > 0) await open(item.at - 1); }
      else if (how === "next" && item.next === null) end();
      else if (how === "next" || item.at + 1 < state.total) await open(how === "next" ? item.next : item.at + 1);
    } catch (error) { say(lost); }
    finally { busy = false; }
  }

  // Where the next question is answered in writing, keys go there at once; on a touch screen that would open a keyboard.
  function toEntry() {
    const next = asked().find((f) => answerOf(f) === undefined);
    if (next && writes(next) && matchMedia("(pointer: fine)").matches) entry(next).focus({ preventScroll: asked()[0] === next });
  }
  function choose(key) {
    const field = active();
    const box = drawn[field.name];
    let target = null;
    if (writes(field)) { entry(field).focus(); return false; }
    if (key === "0") target = box.unsure;
    else if (key === "-" && box.none) target = box.none;
    else if (field.options.length && KEYS.indexOf(key) >= 0) target = KEYS.indexOf(key) < field.options.length ? box.inputs[KEYS.indexOf(key)] : null;
    if (!target) return false;
    target.click();
    if (field.control === "several" && key !== "0") target.focus();
    else { document.activeElement.blur(); toEntry(); }
    mark();
    return true;
  }
  function another(by) {
    const list = asked();
    const next = list[(list.indexOf(active()) + by + list.length) % list.length];
    const box = drawn[next.name];
    (box.inputs.find((i) => i.checked) || box.inputs[0]).focus();
    box.set.scrollIntoView({ block: "nearest" });
    mark();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const on = document.activeElement;
    const typing = on && (on.tagName === "TEXTAREA" || on.type === "number" || on.tagName === "SELECT");
    const slides = on && on.type === "range";
    let done = true;
    if (event.key === "Enter" && !event.shiftKey && !(on && (on.tagName === "BUTTON" || on.tagName === "SUMMARY"))) move("next");
    else if (!item) { if (event.key === "ArrowLeft" || event.key === "Backspace") move("back"); else done = false; }
    else if (typing) { if (event.key === "Escape") on.blur(); else done = false; }
    else if (slides && /^(Arrow|Home|End|Page)/.test(event.key)) done = false;
    else if (event.key === "ArrowLeft" || event.key === "Backspace") move("back");
    else if (event.key === "ArrowRight") move("on");
    else if (event.key === "ArrowDown") another(1);
    else if (event.key === "ArrowUp") another(-1);
    else if (item.clip && frames.length && event.key === " " && !(on && /^(BUTTON|INPUT)$/.test(on.tagName))) play();
    else if (item.sound !== null && !item.clip && event.key === " " && !(on && /^(BUTTON|INPUT)$/.test(on.tagName))) { if (sound.paused) playSound(); else sound.pause(); }
    else if (item.clip && frames.length && event.key === ",") step(-1);
    else if (item.clip && frames.length && event.key === ".") step(1);
    else done = event.key.length === 1 && choose(event.key.toLowerCase());
    if (done) event.preventDefault();
  });
  document.addEventListener("focusin", () => { if (item && drawn) mark(); });
  $("form").addEventListener("submit", (event) => event.preventDefault());
  $("back").addEventListener("click", () => move("back"));
  $("next").addEventListener("click", () => move("next"));
  $("play").addEventListener("click", play);
  $("back-frame").addEventListener("click", () => step(-1));
  $("next-frame").addEventListener("click", () => step(1));
  $("frame").addEventListener("input", () => { stop(); showFrame(Number($("frame").value)); });
  addEventListener("pagehide", () => { if (item && changed.size) save(); });

  (async () => {
    try {
      state = await get("state");
      document.title = "Rating" + (state.adjudicates ? ", adjudication" : "");
      $("who").textContent = state.rater + (state.adjudicates ? ", adjudicates" : "");
      if (state.next === null) { tell(state.done); end(); } else await open(state.next);
    } catch (error) { say(lost); }
  })();
})();
