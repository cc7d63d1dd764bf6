"use strict";
(() => {
  const PAGE = 20;
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filters");
  const list = document.getElementById("entries");
  const pager = document.getElementById("pager");
  const axes = ["task", "model", "prompt", "condition", "outcome", "standing"];
  const spoken = { unanswered: "no answer", wrong: "wrong", right: "right", unjudged: "neither (a number, or no known truth)" };
  let page = 0;

  // Text from models and data only ever becomes a text node.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const bdi = (text) => make("bdi", {}, text);

  const valuesOf = (entry, axis) =>
    axis === "outcome" ? entry.answers.map((answer) => answer.outcome) : [entry[axis]];

  const haystack = new Map(data.entries.map((entry) => [entry, [
    entry.sample, entry.text, entry.failure,
    ...entry.answers.flatMap((answer) => [answer.value ?? "", answer.target ?? "", answer.rule]),
  ].join("\n").toLowerCase()]));

  const fillSelects = () => {
    for (const axis of axes) {
      const values = [...new Set(data.entries.flatMap((entry) => valuesOf(entry, axis)))];
      const select = form.elements[axis];
      select.append(make("option", { value: "" }, "all"));
      for (const value of values) {
        const label = axis === "standing" ? spoken[value] : axis === "condition" && value === "none" ? "as is" : value;
        select.append(make("option", { value }, label));
      }
    }
  };

  const chosen = () => Object.fromEntries([...axes, "text"].map((name) => [name, form.elements[name].value]));

  const matching = () => {
    const wanted = chosen();
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    return data.entries.filter((entry) =>
      axes.every((axis) => !wanted[axis] || valuesOf(entry, axis).includes(wanted[axis])) &&
      words.every((word) => haystack.get(entry).includes(word)));
  };

  const mark = (answer) =>
    answer.right === true ? make("span", { class: "good" }, "✓ right")
      : answer.right === false ? make("span", { class: "poor" }, "✗ wrong")
        : make("span", { class: "quiet" }, answer.outcome === "answered" ? "–" : "✗ no answer");

  const answerTable = (entry) => {
    const head = make("tr");
    for (const name of ["Field", "Answer", "Truth", "Verdict", "Outcome", "Rule"]) head.append(make("th", { scope: "col" }, name));
    const body = make("tbody");
    for (const answer of entry.answers) {
      body.append(make("tr", {},
        make("th", { scope: "row" }, bdi(answer.field)),
        make("td", {}, bdi(answer.value ?? "–")), make("td", {}, bdi(answer.target ?? "unknown")),
        make("td", { class: "mark" }, mark(answer)), make("td", {}, answer.outcome),
        make("td", {}, make("code", {}, answer.rule))));
    }
    return make("div", { class: "tablebox" }, make("table", {}, make("thead", {}, head), body));
  };

  const pictures = (entry) => {
    const box = make("div", { class: "pictures" });
    for (const [caption, name] of entry.pictures) {
      const shown = name
        ? make("img", { src: data.pictures[name], alt: `drawn face ${entry.sample} ${caption}`.trim() })
        : make("div", { class: "grey", role: "img", "aria-label": "uniform grey picture" });
      box.append(make("figure", {}, shown, ...(caption ? [make("figcaption", {}, caption)] : [])));
    }
    return box;
  };

  const conversation = (entry) => {
    const turns = data.conversations[entry.conversation] ?? [];
    if (!turns.length) return [];
    const details = make("details", {}, make("summary", {}, "Rendered prompt"));
    for (const [role, text] of turns) {
      details.append(make("div", { class: "turn" }, make("div", { class: "role" }, role), make("pre", { dir: "auto" }, text)));
    }
    return [details];
  };

  const article = (entry) => {
    const meta = [entry.task, entry.part, entry.model, entry.prompt, entry.condition === "none" ? "" : entry.condition];
    const said = make("p", { class: "meta quiet" });
    meta.filter(Boolean).forEach((text, place) => said.append(place ? " · " : "", bdi(text)));
    const reply = entry.failure
      ? [make("p", { class: "reply" }, "No reply, because"), make("pre", { dir: "auto" }, entry.failure)]
      : [make("p", { class: "reply" }, "Reply"), make("pre", { dir: "auto" }, entry.text || "(empty)")];
    const reasoning = entry.reasoning
      ? [make("details", { class: "reasoning" }, make("summary", {}, "Reasoning (not read as the answer)"), make("pre", { dir: "auto" }, entry.reasoning))]
      : [];
    const node = make("article", { class: entry.pictures.length ? "entry" : "entry bare" });
    if (entry.pictures.length) node.append(pictures(entry));
    node.append(make("div", {}, make("h3", {}, bdi(entry.sample)), said, answerTable(entry), ...reply, ...reasoning, ...conversation(entry)));
    return node;
  };

  const show = () => {
    const found = matching();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, pages - 1);
    const first = page * PAGE;
    list.replaceChildren(...found.slice(first, first + PAGE).map(article));
    document.getElementById("found").textContent = found.length
      ? `${first + 1}–${Math.min(first + PAGE, found.length)} of ${found.length} that match`
      : data.entries.length ? "No sample matches." : "No sample is finished yet.";
    document.getElementById("page").textContent = `page ${page + 1} of ${pages}`;
    document.getElementById("back").disabled = page === 0;
    document.getElementById("on").disabled = page === pages - 1;
    pager.hidden = pages === 1;
  };

  // The filters stand in the address, so that a view can be sent on: #samples&outcome=refused
  const remember = () => {
    const set = Object.entries(chosen()).filter(([, value]) => value);
    history.replaceState(null, "", `#samples${set.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("")}`);
  };
  const recall = () => {
    const hash = location.hash.slice(1);
    if (!hash.startsWith("samples&")) return;
    const state = new URLSearchParams(hash.slice("samples&".length));
    for (const name of [...axes, "text"]) form.elements[name].value = state.get(name) ?? "";
    page = 0;
    show();
    document.getElementById("samples").scrollIntoView({ behavior: "instant" });
  };

  fillSelects();
  form.hidden = data.entries.length === 0;
  form.addEventListener("input", () => { page = 0; show(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { page = 0; show(); remember(); }));
  const turn = (step) => { page += step; show(); document.getElementById("samples").scrollIntoView(); };
  document.getElementById("back").addEventListener("click", () => turn(-1));
  document.getElementById("on").addEventListener("click", () => turn(1));
  addEventListener("hashchange", recall);
  show();
  recall();
})();
