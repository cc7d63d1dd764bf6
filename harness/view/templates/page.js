"use strict";
(() => {
  const EVERY = 2500;        // milliseconds between two looks at the runs
  const COUNT = 20;          // samples of a page
  const base = location.pathname;
  const main = document.getElementById("main");
  const bar = document.getElementById("ticked");
  const ticked = new Map();  // "RUN" or "RUN:CELL:PROMPT" -> what it is called
  let listing = { q: "", sort: "time" };
  let shown = 0;             // grows with each view, so that a late answer to an earlier one is dropped
  let timer = 0;

  // Text is only ever put in as text: nothing of a run is read as HTML.
  const el = (tag, given = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name === "class") made.className = value;
      else if (name === "value") made.value = value;
      else if (name === "checked") made.checked = value;
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };
  const say = (text) => { document.getElementById("status").textContent = text; };
  const count = (number) => Number(number).toLocaleString("en-US");
  const bytes = (size) => {
    let amount = size;
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (amount < 1000 || unit === "GB") return `${unit === "B" ? amount : amount.toFixed(1)} ${unit}`;
      amount /= 1000;
    }
  };
  const time = (text) => (text ? text.slice(0, 16).replace("T", " ") : "");
  const clock = (seconds) => {
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };
  const listed = (names) => names.join(", ");
  const condition = (one) => [one.condition === "none" ? "" : one.condition, one.channel === "free" ? "" : one.channel]
    .filter(Boolean).join(", ");
  const cellName = (one) => [one.model, one.prompt === "-" ? "" : one.prompt, condition(one)].filter(Boolean).join(" · ");

  const ask = async (path, options) => {
    let reply;
    try {
      reply = await fetch(base + path, options);
    } catch {
      throw new Error("No answer: is `harness view` still running?");
    }
    const kind = reply.headers.get("Content-Type") || "";
    const body = kind.startsWith("application/json") ? await reply.json() : { error: (await reply.text()).trim() };
    if (!reply.ok) throw new Error([body.error, body.hint && `(${body.hint})`].filter(Boolean).join(" "));
    return body;
  };
  const notice = (text) => el("div", { class: "notice" }, el("p", {}, text));
  const crumbs = (...steps) => {
    const list = document.getElementById("crumbs");
    list.replaceChildren(...steps.map(([text, to]) =>
      el("li", {}, to === undefined ? el("span", { "aria-current": "page" }, text) : el("a", { href: to }, text))));
    document.title = `${steps[steps.length - 1][0]} – affect-harness`;
  };

  // ---- what is ticked ----
  const tick = (key, called, on) => {
    if (on) ticked.set(key, called); else ticked.delete(key);
    drawBar();
  };
  const drawBar = () => {
    bar.hidden = ticked.size === 0 || location.hash.startsWith("#/compare");
    if (bar.hidden) return;
    const keys = [...ticked.keys()];
    const words = ticked.size === 1 ? "Tick one more to compare." : ticked.size > 2 ? "Two can be compared at a time." : "";
    bar.replaceChildren(
      el("p", {}, `Ticked: ${[...ticked.values()].join(" and ")}. ${words}`),
      el("button", { type: "button", class: "main", disabled: ticked.size !== 2,
        onclick: () => { location.hash = `#/compare?${new URLSearchParams({ a: keys[0], b: keys[1] })}`; } }, "Compare"),
      el("button", { type: "button", onclick: () => {
        ticked.clear(); drawBar();
        document.querySelectorAll(".pick input").forEach((box) => { box.checked = false; });
      } }, "Untick"));
  };
  const box = (key, called, disabled) => el("td", { class: "pick" }, el("input", {
    type: "checkbox", "aria-label": `Tick ${called} to compare it`, checked: ticked.has(key), disabled,
    onchange: (event) => tick(key, called, event.target.checked) }));

  // ---- all runs ----
  const SORTS = { time: "newest first", name: "name", state: "running first", size: "largest first", trials: "most trials" };
  const STATES = ["running", "not scored", "scored", "export", "broken"];
  const ORDER = {
    time: (a, b) => (b.started || "").localeCompare(a.started || ""),
    name: (a, b) => a.path.localeCompare(b.path, "en", { numeric: true }),
    state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
    size: (a, b) => b.size - a.size,
    trials: (a, b) => b.trials - a.trials,
  };
  const stateCell = (run) => {
    const cell = el("td", { class: `state ${run.state}` }, run.state);
    if (run.total && (run.state === "running" || run.done < run.total)) {
      const told = `${count(run.done)} of ${count(run.total)}` + (run.failed ? `, ${count(run.failed)} failed` : "");
      cell.append(el("br"), el("progress", { max: run.total, value: run.done, "aria-label": `${run.path}: ${told}` }),
        el("div", { class: "quiet" }, told), el("div", { class: "quiet" },
          run.state === "running" && run.rate ? `${run.rate} a second, ${clock(run.left)} left` : ""));
    }
    return cell;
  };
  const runRow = (run) => el("tr", { "data-run": run.id },
    box(run.id, run.path, run.state === "broken"),
    el("th", { scope: "row", class: "who" }, el("a", { href: `#/run/${run.id}` }, run.name || run.path),
      run.name ? el("span", { class: "quiet" }, run.path) : "",
      run.tags.length ? el("span", { class: "tags" }, ...run.tags.map((tag) => el("span", { class: "tag" }, tag))) : "",
      run.notes ? el("span", { class: "quiet" }, run.notes.length > 120 ? `${run.notes.slice(0, 120)}…` : run.notes) : ""),
    stateCell(run),
    el("td", { "data-label": "started (UTC)", class: "num" }, time(run.started)),
    el("td", { "data-label": "tasks", class: "who" }, listed(run.tasks) || run.fault),
    el("td", { "data-label": "models", class: "who" }, listed(run.models)),
    el("td", { "data-label": "cells", class: "num" }, count(run.cells)),
    el("td", { "data-label": "trials", class: "num" }, count(run.trials)),
    el("td", { "data-label": "size", class: "num" }, bytes(run.size)));

  const showRuns = async (view) => {
    const search = el("input", { type: "search", value: listing.q, id: "search",
      placeholder: "path, title, task, model, note, tag", oninput: () => { listing.q = search.value; draw(); } });
    const sort = el("select", { onchange: () => { listing.sort = sort.value; draw(); } },
      ...Object.entries(SORTS).map(([name, words]) => el("option", { value: name, selected: name === listing.sort }, words)));
    const said = el("p", { class: "quiet" });
    const body = el("tbody");
    const table = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs" }, el("table", { class: "runs" },
      el("thead", {}, el("tr", {}, ...["", "Run", "State", "Started (UTC)", "Tasks", "Models", "Cells", "Trials", "Size"].map((name, n) =>
        el("th", { scope: "col", class: n > 5 || n === 3 ? "num" : "" }, name || el("span", { class: "unseen" }, "Compare"))))), body));
    let runs = [], drawn = "";
    const draw = () => {
      const words = listing.q.toLowerCase().split(/\s+/).filter(Boolean);
      const text = (run) => [run.path, run.name, ...run.tasks, ...run.models, run.notes, ...run.tags, run.state].join(" ").toLowerCase();
      const found = runs.filter((run) => { const all = text(run); return words.every((word) => all.includes(word)); });
      found.sort(ORDER[listing.sort]);
      const next = JSON.stringify(found);
      if (next === drawn) return;
      drawn = next;
      const focused = document.activeElement, row = focused && body.contains(focused) && focused.closest("tr");
      const at = row ? [row.dataset.run, focused.tagName] : null;
      body.replaceChildren(...found.map(runRow));
      if (at) body.querySelector(`tr[data-run="${at[0]}"] ${at[1].toLowerCase()}`)?.focus();
      said.textContent = `${count(found.length)} of ${count(runs.length)} runs, ${bytes(found.reduce((sum, run) => sum + run.size, 0))}`;
      table.hidden = !found.length;
    };
    const look = async () => {
      const got = await ask("runs");
      if (view !== shown) return;
      runs = got.runs;
      crumbs([`Runs in ${got.root}`]);
      draw();
    };
    main.replaceChildren(el("h1", {}, "Runs"), el("div", { class: "controls" },
      el("label", { class: "grow" }, "Search ( / )", search), el("label", {}, "Order", sort)), said, table);
    await look();
    repeat(view, look);
  };

  // ---- one run ----
  const score = (one) => el("tr", {},
    el("th", { scope: "row", class: "who" }, one.task, el("span", { class: "quiet" }, one.field)),
    el("td", { class: "who" }, one.model, el("span", { class: "quiet" }, [one.prompt === "-" ? "" : one.prompt, one.condition === "none" ? "" : one.condition].filter(Boolean).join(" · "))),
    el("td", { class: "num" }, el("span", { class: "quiet" }, `${one.metric} `), el("strong", {}, one.score), el("div", { class: "quiet" }, one.interval)),
    el("td", { class: "num" }, one.majority), el("td", { class: "num" }, one.prior),
    el("td", {}, { above: el("span", { class: "good" }, "✓ better than both"), "not-above": el("span", { class: "poor" }, "✗ not shown to be better") }[one.verdict]
      || el("span", { class: "quiet" }, one.reason)));

  const cellRow = (run, id, progress) => (one) => {
    const at = (progress || {})[one.id] || { done: 0, failed: 0, trials: 0 };
    const told = `${count(at.done)} of ${count(at.trials)}` + (at.failed ? `, ${count(at.failed)} failed` : "");
    return el("tr", { "data-cell": one.id },
      box(`${id}:${one.id}:${one.prompt}`, `${cellName(one)} of ${run.path}`),
      el("th", { scope: "row", class: "who" }, one.task), el("td", { class: "who" }, one.model),
      el("td", { class: "who" }, one.prompt), el("td", {}, condition(one) || "none"),
      el("td", { class: "done" }, ...(one.kept ? ["of an earlier command"] : !progress ? [] : [
        el("progress", { max: Math.max(1, at.trials), value: at.done, "aria-label": told }), el("div", { class: "quiet" }, told)])));
  };

  const notesForm = (id, run, seen) => {
    const text = el("textarea", { value: run.notes, maxlength: 20000, rows: 5 });
    const tags = el("input", { type: "text", value: run.tags.join(", "), placeholder: "pilot, paper" });
    const told = el("span", { class: "quiet", role: "status" });
    const save = async (event) => {
      event.preventDefault();
      told.textContent = "Saving…";
      try {
        const done = await ask(`runs/${id}/notes`, { method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ seen, text: text.value, tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean) }) });
        seen = done.seen;
        tags.value = done.tags.join(", ");
        told.textContent = "Saved.";
      } catch (error) { told.textContent = error.message; }
    };
    return el("form", { onsubmit: save, oninput: () => { told.textContent = "Not saved yet."; } },
      el("h2", {}, "Notes"), run.notes_fault ? notice(run.notes_fault) : "",
      el("label", {}, "Notes, kept in notes.json beside the run", text), el("label", {}, "Tags, with commas between them", tags),
      el("p", {}, el("button", { type: "submit" }, "Save"), " ", told));
  };

  const showRun = async (view, id) => {
    const got = await ask(`runs/${id}`);
    if (view !== shown) return;
    const run = got.run;
    crumbs(["Runs", "#/"], [run.path]);
    if (run.state === "broken") {
      main.replaceChildren(el("h1", {}, run.path), notice(run.fault), notesForm(id, run, got.seen));
      return;
    }
    const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
    const state = el("dd", {}, run.state);
    const body = el("tbody"), replicas = el("div");
    const drawCells = (now) => body.replaceChildren(...got.cells.map(cellRow(now, id, now.cell_progress)));
    const drawState = (now) => {
      const words = [now.state];
      if (now.total) words.push(`${count(now.done)} of ${count(now.total)} trials` + (now.failed ? `, ${count(now.failed)} failed` : ""));
      if (now.state === "running" && now.rate) words.push(`${now.rate} a second, ${clock(now.left)} left`);
      state.textContent = words.join("; ");
      const told = now.replicas || [];
      replicas.replaceChildren(...(told.length ? [el("details", { open: now.state === "running" || undefined },
        el("summary", {}, `${told.length} replicas, ${count(told.reduce((sum, one) => sum + one.replies, 0))} replies`),
        el("ul", {}, ...told.map((one) => el("li", {}, `${one.model} ${one.replica}: ${one.state}, ${count(one.replies)} replies` + (one.place ? ` (${one.place})` : "")))))] : []));
    };
    drawCells(run);
    drawState(run);
    const links = Object.entries(got.pages).map(([name, to]) => el("a", { href: to, target: "_blank", rel: "noopener" },
      name === "report.html" ? "Report" : "Cue audit"));
    const region = (label, ...inside) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...inside);
    const head = (...names) => el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name === "Tick" ? el("span", { class: "unseen" }, name) : name.replace("#", "")))));
    const samples = el("section");
    main.replaceChildren(
      el("h1", {}, run.name || run.path),
      got.fault ? notice(got.fault) : "",
      got.stale ? notice("There are replies that came after the scores: harness score RUN reads them.") : "",
      el("div", { class: "columns" },
        el("div", {}, el("dl", { class: "facts" }, el("dt", {}, "State"), state, ...fact("Started (UTC)", time(run.started)),
          ...fact("Folder", run.path), ...fact("Tasks", listed(run.tasks)), ...fact("Models", listed(run.models)), ...fact("Size", bytes(run.size)),
          ...(links.length ? fact("Pages", el("span", {}, ...links.flatMap((link, n) => (n ? [" · ", link] : [link])))) : [])),
          got.scores.length ? el("h2", {}, "Scores") : "",
          got.scores.length ? region("Scores", el("table", {}, el("caption", {}, "The main number of each field, strict, with its 95% interval"),
            head("Task and field", "Model and prompt", "#Score", "#Majority", "#Prior", "Against the baselines"), el("tbody", {}, ...got.scores.map(score))))
            : run.state === "running" ? "" : notice("Not scored yet: harness score RUN does that, without a model.")),
        got.exported ? el("p", { class: "quiet" }, "An export has no samples to show and no notes: it is made to be passed on.") : notesForm(id, run, got.seen)),
      replicas,
      el("h2", {}, "Cells"),
      region("Cells", el("table", {}, el("caption", {}, "Tick two cells, of this run or of two runs, to compare them"),
        head("Tick", "Task", "Model", "Prompt", "Condition", "Finished"), body)), samples);
    if (Object.keys(got.samples).length) showSamples(view, id, got, samples);
    const look = async () => {
      const now = (await ask(`runs/${id}/progress`)).run;
      if (view !== shown) return;
      drawState(now);
      if (!body.contains(document.activeElement)) drawCells(now);
      if (now.state !== run.state) render();
    };
    if (!got.exported) await look();
    if (run.state === "running" && view === shown) repeat(view, look);
  };

  // ---- samples ----
  const showSamples = (view, id, got, place) => {
    const wanted = { task: Object.keys(got.samples)[0], show: "all", order: "id", words: "", start: 0, label: "", a: 0, b: 1 };
    wanted.field = got.samples[wanted.task][0];
    const list = el("div"), said = el("p", { class: "quiet", role: "status" });
    const choose = (name, options, words = (one) => one) => el("select", { onchange: (event) => {
      wanted[name] = event.target.value;
      if (name === "task") { wanted.field = got.samples[wanted.task][0]; wanted.label = ""; fill(field, got.samples[wanted.task]); }
      wanted.start = 0;
      load();
    } }, ...options.map((one) => el("option", { value: one }, words(one))));
    const fill = (select, options, words = (one) => one) => select.replaceChildren(...options.map((one, n) => el("option", { value: options.values ? one : one, selected: n === 0 }, words(one, n))));
    const task = choose("task", Object.keys(got.samples)), field = choose("field", got.samples[wanted.task]);
    const show = choose("show", Object.keys(got.shows), (one) => got.shows[one]);
    const order = choose("order", got.orders, (one) => ({ id: "sample id", disagreement: "most disagreement first" }[one]));
    const label = choose("label", [""], () => "any"), a = choose("a", []), b = choose("b", []);
    const words = el("input", { type: "search", placeholder: "in a reply or a sample id" });
    let waiting = 0;
    words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { wanted.words = words.value; wanted.start = 0; load(); }, 350); });
    const back = el("button", { type: "button", onclick: () => turn(-COUNT) }, "‹ Back");
    const on = el("button", { type: "button", onclick: () => turn(COUNT) }, "Next ›");
    const turn = (step) => { wanted.start = Math.max(0, wanted.start + step); load().then(() => place.scrollIntoView()); };
    const named = (text, control, extra = {}) => el("label", extra, text, control);
    const labelBox = named("True value", label), aBox = named("First cell", a), bBox = named("Second cell", b);
    const fieldBox = named("Field", field), taskBox = named("Task", task);
    taskBox.hidden = Object.keys(got.samples).length < 2;
    place.replaceChildren(el("h2", {}, "Samples"), el("div", { class: "controls" },
      taskBox, fieldBox, named("Show", show), aBox, bBox, labelBox, named("Order", order), named("Search", words, { class: "grow" })), said, list,
      el("div", { class: "pager" }, back, on));
    let cells = "";
    const load = async () => {
      const mine = JSON.stringify(wanted);
      const query = { ...wanted, count: COUNT };
      if (!wanted.label) delete query.label;
      let page;
      try { page = await ask(`runs/${id}/samples?${new URLSearchParams(query)}`); } catch (error) { said.textContent = error.message; list.replaceChildren(); return; }
      if (view !== shown || mine !== JSON.stringify(wanted)) return;
      if (JSON.stringify(page.cells) !== cells) {
        cells = JSON.stringify(page.cells);
        const numbers = page.cells.map((_, n) => String(n));
        fill(a, numbers, (n) => cellName(page.cells[n])); fill(b, numbers, (n) => cellName(page.cells[n]));
        wanted.a = 0; wanted.b = Math.min(1, numbers.length - 1); a.value = "0"; b.value = String(wanted.b);
      }
      if (label.options.length !== page.labels.length + 1 || label.dataset.of !== wanted.task + wanted.field) {
        fill(label, ["", ...page.labels], (one, n) => (one ? page.labels_told[n - 1] : "any"));
        label.dataset.of = wanted.task + wanted.field;
        label.value = wanted.label;
      }
      fieldBox.hidden = got.samples[wanted.task].length < 2;
      labelBox.hidden = !page.labels.length;
      aBox.hidden = bBox.hidden = wanted.show !== "only-a";
      show.querySelector("option[value=only-a]").disabled = page.cells.length < 2;
      said.textContent = page.total ? `${count(wanted.start + 1)} to ${count(Math.min(wanted.start + COUNT, page.total))} of ${count(page.total)} samples` : "No sample is like that.";
      back.disabled = wanted.start === 0;
      on.disabled = wanted.start + COUNT >= page.total;
      list.replaceChildren(...page.samples.map(sample(id, page.cells)));
    };
    load();
  };
  const sample = (id, cells) => (one) => {
    const pictures = one.pictures.map(([caption, to]) => el("figure", {}, el("img", { src: to.startsWith("data:") ? to : `${base}runs/${id}/${to}`, alt: `${caption} picture of ${one.sample}`.trim(), loading: "lazy",
      onerror: (event) => event.target.replaceWith(el("span", { class: "quiet" }, "picture not found")) }), caption ? el("figcaption", {}, caption) : ""));
    return el("article", { class: pictures.length ? "sample" : "sample bare" },
      pictures.length ? el("div", { class: "pictures" }, ...pictures) : "",
      el("div", {}, el("h3", {}, one.sample, el("span", { class: "quiet" }, one.target === null ? " · no true value" : ` · true: ${one.target}`)),
        el("div", { class: "answers" }, ...one.answers.map((answer, n) => (answer ? answerOf(id, cells[n], answer) : "")))));
  };
  const MARKS = { right: "✓ ", wrong: "✗ ", unanswered: "– ", unjudged: "" };
  const answerOf = (id, cell, answer) => {
    const told = answer.outcome === "answered" ? answer.value : answer.outcome;
    const more = el("details", {}, el("summary", {}, answer.text ? "Reply" : answer.failure ? "Failure" : "More"));
    more.addEventListener("toggle", () => {
      if (!more.open || more.children.length > 1) return;
      if (answer.reasoning) more.append(el("p", { class: "quiet" }, "Reasoning"), el("pre", {}, answer.reasoning), el("p", { class: "quiet" }, "Reply"));
      more.append(el("pre", {}, answer.text || answer.failure || "(empty)"), el("p", { class: "quiet" }, `read by ${answer.rule}`));
      if (answer.conversation) more.append(conversation(id, answer.conversation));
    });
    return el("div", { class: `answer ${answer.standing}` }, el("p", { class: "cell" }, cellName(cell)),
      el("p", {}, el("strong", {}, (MARKS[answer.standing] || "") + told), el("span", { class: "unseen" }, ` (${answer.standing})`)), more);
  };
  const conversation = (id, name) => {
    const more = el("details", {}, el("summary", {}, "What was asked"));
    more.addEventListener("toggle", async () => {
      if (!more.open || more.children.length > 1) return;
      const place = more.appendChild(el("div", {}, "Reading…"));
      try {
        const { turns } = await ask(`runs/${id}/conversations/${name}`);
        place.replaceChildren(...turns.map(([role, text]) => el("div", { class: "turn" }, el("b", {}, role), el("pre", {}, text))));
      } catch (error) { place.textContent = error.message; }
    });
    return more;
  };

  // ---- two compared ----
  const block = (one) => {
    const rows = one.rows.map((row) => el("tr", {}, ...row.map((cell, n) => el(n ? "td" : "th", n ? { class: "num" } : { scope: "row", class: "who" }, cell))));
    return el("section", { class: one.warning ? "notice" : "" }, one.heading ? el("h2", { class: "minor" }, one.heading) : "",
      one.lines.length ? el("div", { class: "told" }, ...one.lines.map((line) => el("p", {}, line))) : "",
      rows.length ? el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": one.heading || "Table" }, el("table", {},
        el("thead", {}, el("tr", {}, ...one.header.map((cell, n) => el("th", { scope: "col", class: n ? "num" : "" }, cell)))), el("tbody", {}, ...rows))) : "",
      one.remarks.length ? el("details", {}, el("summary", {}, "How this was computed, and what would settle it"),
        ...one.remarks.map((line) => el("p", { class: "quiet" }, line))) : "");
  };
  const showCompared = async (view, query) => {
    crumbs(["Runs", "#/"], ["Comparison"]);
    const place = el("div", {}, el("p", {}, "Comparing…"));
    main.replaceChildren(el("h1", {}, "Comparison"), place);
    for (;;) {
      const got = await ask(`compare?${query}`);
      if (view !== shown) return;
      if (got.blocks) { place.replaceChildren(el("p", { class: "quiet" }, `A and B are from ${got.a === got.b ? got.a : `${got.a} and ${got.b}`}, on the samples that both have.`), ...got.blocks.map(block)); say("Compared."); return; }
      if (got.error) {
        const again = new URLSearchParams(query); again.set("unlike", "yes");
        place.replaceChildren(notice(got.error), got.hint ? el("p", { class: "quiet" }, got.hint) : "",
          got.error.includes("differ") && !query.get("unlike") ? el("p", {}, el("a", { href: `#/compare?${again}` }, "Compare all the same; every result then says so")) : "");
        return;
      }
      place.firstChild.textContent = got.of ? `Comparing pair ${got.pairs + 1} of ${got.of}…` : "Reading the replies…";
      await new Promise((done) => setTimeout(done, 700));
      if (view !== shown) return;
    }
  };

  // ---- which view ----
  const repeat = (view, look) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (view !== shown) return;
      let lost = document.getElementById("lost");
      if (!document.hidden) {
        try { await look(); lost?.remove(); }
        catch (error) { if (view === shown && !lost) { lost = notice(error.message); lost.id = "lost"; main.prepend(lost); } }
      }
      if (view === shown) repeat(view, look);
    }, EVERY);
  };
  const render = async (moved = false) => {
    const view = ++shown;
    clearTimeout(timer);
    const [path, query = ""] = location.hash.slice(1).split("?");
    drawBar();
    try {
      const run = path.match(/^\/run\/([0-9a-f]{16})$/);
      if (run) await showRun(view, run[1]);
      else if (path === "/compare") await showCompared(view, new URLSearchParams(query));
      else await showRuns(view);
    } catch (error) {
      if (view === shown) { crumbs(["Runs", "#/"], ["Error"]); main.replaceChildren(notice(error.message)); }
    }
    if (moved && view === shown) { scrollTo(0, 0); main.focus({ preventScroll: true }); }
  };
  addEventListener("hashchange", () => render(true));
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  });
  render();
})();
