// The samples side by side. What the data mean: harness.report.grid.grid_json.
(() => {
  const PAGE = 20;
  const OPEN_COLUMNS = 6;
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (at) => (at < 0 ? "" : data.strings[at]);
  const ANSWERED = data.outcomes.indexOf("answered");
  const form = document.getElementById("filters");
  const entries = document.getElementById("entries");
  const pager = document.getElementById("pager");
  const choices = document.getElementById("choices");
  const tasks = data.tasks.filter((task) => task.samples.length);
  const settings = ["task", "which", "a", "b", "truth", "group", "outcome", "sort", "text"];
  let task = tasks[0];
  let columns = [];
  let only = -1; // the one sample that a link names
  let page = 0;

  // Text from models and data only ever becomes a text node.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const bdi = (words) => make("bdi", {}, words);
  const SAMPLE = 0, PART = 1, TRUTHS = 2, GROUPS = 3, CELLS = 4;
  const answersOf = (trial) => {
    const found = [];
    for (let at = 4; at < trial.length; at += 4) found.push(trial.slice(at, at + 4));
    return found;
  };
  const shortOf = (prompt) => {
    const families = new Set(task.cells.map((one) => (one.key[1].includes("/") ? one.key[1].split("/")[0] : "")));
    return families.size === 1 && !families.has("") ? prompt.slice(prompt.indexOf("/") + 1) : prompt;
  };
  const nameOf = (cell) => {
    const [model, prompt, condition] = cell.key;
    const many = (axis) => new Set(task.cells.map((one) => one.key[axis])).size > 1;
    const said = [many(0) ? model : "", many(1) && prompt !== "-" ? shortOf(prompt) : "", condition === "none" ? "" : condition];
    return said.filter(Boolean).join(" · ") || model;
  };

  // Right in all fields that can be right or wrong: 1; wrong in one or without an answer: 0; else -1.
  const standing = (trials) => {
    let found = -1;
    for (const trial of trials) {
      for (const [outcome, , , right] of answersOf(trial)) {
        if (outcome < 0) continue;
        if (outcome !== ANSWERED || right === 0) return 0;
        if (right === 1) found = 1;
      }
    }
    return found;
  };
  const saidIn = (trials) => trials.map((trial) => answersOf(trial)
    .map(([outcome, value]) => (outcome === ANSWERED ? `v${value}` : `o${outcome}`)).join(",")).join(";");
  const disagreement = (row) => {
    const counts = new Map();
    let total = 0;
    for (const at of columns) {
      const trials = row[CELLS][at];
      if (!trials.length) continue;
      const said = saidIn(trials);
      counts.set(said, (counts.get(said) ?? 0) + 1);
      total += 1;
    }
    let same = 0;
    for (const times of counts.values()) same += (times / total) ** 2;
    return total ? 1 - same : 0;
  };
  const standings = (row) => columns.map((at) => row[CELLS][at]).filter((trials) => trials.length).map(standing);

  const WHICH = {
    "": ["all samples", () => true],
    "disagree": ["cells disagree", (row) => disagreement(row) > 0],
    "a-not-b": ["A right, B wrong", (row, a, b) => standing(row[CELLS][a]) === 1 && row[CELLS][b].length && standing(row[CELLS][b]) === 0],
    "b-not-a": ["B right, A wrong", (row, a, b) => standing(row[CELLS][b]) === 1 && row[CELLS][a].length && standing(row[CELLS][a]) === 0],
    "all-wrong": ["all wrong", (row) => { const found = standings(row); return found.length > 0 && found.every((one) => one === 0); }],
    "any-wrong": ["wrong anywhere", (row) => standings(row).includes(0)],
    "all-right": ["all right", (row) => { const found = standings(row); return found.length > 0 && found.every((one) => one === 1); }],
  };
  const SORTS = {
    "": ["disagreement", (row) => -disagreement(row)],
    "wrong": ["most wrong", (row) => -standings(row).filter((one) => one === 0).length],
    "sample": ["sample", null],
  };

  const options = (select, list, keep) => {
    select.replaceChildren(...list.map(([value, label]) => make("option", { value }, label)));
    if (keep !== undefined && list.some(([value]) => value === keep)) select.value = keep;
  };
  const distinct = (values) => [...new Set(values)].filter((at) => at >= 0).sort((x, y) => text(x).localeCompare(text(y), undefined, { numeric: true }));

  const fill = () => {
    const cells = task.cells.map((cell, at) => [String(at), nameOf(cell)]);
    const seen = task.cells.map((_, at) => at).filter((at) => !task.cells[at].blank);
    const best = task.best.filter((at) => !task.cells[at].blank);
    const first = seen.length ? seen : task.cells.map((_, at) => at);
    columns = first.length <= OPEN_COLUMNS ? first : [...new Set([...best, ...first])].slice(0, OPEN_COLUMNS).sort((x, y) => x - y);
    const a = best[0] ?? first[0];
    options(form.elements.a, cells, String(a));
    options(form.elements.b, cells, String(first.find((at) => at !== a) ?? a));
    const one = cells.length < 2;
    for (const name of ["a", "b"]) form.elements[name].parentElement.hidden = one;
    const truths = distinct(task.samples.flatMap((row) => row[TRUTHS]));
    options(form.elements.truth, [["", "any"], ...(truths.length <= 200 ? truths.map((at) => [text(at), text(at)]) : [])]);
    const groups = task.groups.flatMap((name, place) => distinct(task.samples.map((row) => row[GROUPS][place] ?? -1)).slice(0, 100)
      .map((at) => [`${name}=${text(at)}`, `${name}: ${text(at)}`]));
    const parts = distinct(task.samples.map((row) => row[PART])).map((at) => [`=${text(at)}`, `part: ${text(at)}`]);
    options(form.elements.group, [["", "any"], ...parts, ...groups]);
    form.elements.group.parentElement.hidden = !parts.length && !groups.length;
    const there = new Set();
    for (const row of task.samples) for (const trials of row[CELLS]) for (const trial of trials) for (const [outcome] of answersOf(trial)) if (outcome >= 0) there.add(outcome);
    options(form.elements.outcome, [["", "any"], ...data.outcomes.map((name, at) => [name, name, at]).filter(([, , at]) => there.has(at)).map(([name]) => [name, name])]);
    options(form.elements.which, Object.entries(WHICH).filter(([name]) => !one || !["disagree", "a-not-b", "b-not-a"].includes(name)).map(([name, [label]]) => [name, label]));
    options(form.elements.sort, Object.entries(SORTS).map(([name, [label]]) => [name, label]));
    drawChoices();
  };

  const drawChoices = () => {
    const box = document.getElementById("columns");
    box.hidden = task.cells.length < 2;
    box.querySelector("summary").textContent = `Columns: ${columns.length} of ${task.cells.length} cells`;
    choices.replaceChildren(...task.cells.map((cell, at) => {
      const tick = make("input", { type: "checkbox", value: String(at) });
      tick.checked = columns.includes(at);
      tick.addEventListener("change", () => {
        columns = [...choices.querySelectorAll("input")].filter((one) => one.checked).map((one) => Number(one.value));
        if (!columns.length) columns = [at];
        page = 0; drawChoices(); show(); remember();
        choices.querySelector(`input[value="${at}"]`).focus();
      });
      return make("label", { class: "tick" }, tick, " ", bdi(nameOf(cell)));
    }));
  };

  const matching = () => {
    if (only >= 0) return [task.samples[only]];
    const wanted = Object.fromEntries(settings.map((name) => [name, form.elements[name].value]));
    const a = Number(wanted.a), b = Number(wanted.b);
    const fits = WHICH[wanted.which][1];
    const outcome = data.outcomes.indexOf(wanted.outcome);
    const [column, ...rest] = wanted.group.split("=");
    const place = task.groups.indexOf(column), value = rest.join("=");
    const hits = wanted.text.toLowerCase().split(/\s+/).filter(Boolean)
      .map((word) => new Set(data.strings.flatMap((said, at) => (said.toLowerCase().includes(word) ? [at] : []))));
    const holds = (row, hit) => hit.has(row[SAMPLE]) || row[TRUTHS].some((at) => hit.has(at)) || row[GROUPS].some((at) => hit.has(at)) ||
      columns.some((at) => row[CELLS][at].some((trial) => hit.has(trial[0]) || hit.has(trial[1]) || hit.has(trial[2]) ||
        answersOf(trial).some(([, said, rule]) => hit.has(said) || hit.has(rule))));
    const found = task.samples.filter((row) => fits(row, a, b) &&
      (!wanted.truth || row[TRUTHS].some((at) => at >= 0 && text(at) === wanted.truth)) &&
      (!wanted.group || (column ? text(row[GROUPS][place] ?? -1) : text(row[PART])) === value) &&
      (outcome < 0 || columns.some((at) => row[CELLS][at].some((trial) => answersOf(trial).some(([one]) => one === outcome)))) &&
      hits.every((hit) => holds(row, hit)));
    const key = SORTS[wanted.sort][1];
    if (!key) return found.sort((x, y) => text(x[SAMPLE]).localeCompare(text(y[SAMPLE]), undefined, { numeric: true }));
    return found.map((row) => [key(row), row]).sort(([x], [y]) => x - y).map(([, row]) => row);
  };

  const picturesOf = (row, condition, at) => {
    const figures = (task.pictures[condition]?.[at] ?? []).map((picture) => figureOf(row, picture));
    return figures.length === 2 ? [make("div", { class: "two" }, ...figures)] : figures;
  };
  const figureOf = (row, [caption, name]) => {
    const told = `face ${text(row[SAMPLE])} ${caption}`.trim();
    const shown = name
      ? make("img", { src: data.pictures[name], alt: told, loading: "lazy" })
      : make("div", { class: "grey", role: "img", "aria-label": "uniform grey picture" });
    return make("figure", {}, shown, ...(caption ? [make("figcaption", {}, caption)] : []));
  };

  const fold = (name, words, kind = "") =>
    make("details", { class: `in ${kind}` }, make("summary", {}, name), make("pre", { dir: "auto", tabindex: "0" }, words));

  const trialOf = (trial) => {
    const box = make("div", { class: "trial" });
    answersOf(trial).forEach(([outcome, value, rule, right], place) => {
      if (outcome < 0) return;
      const name = task.fields.length > 1 ? `${task.fields[place]}: ` : "";
      const answered = outcome === ANSWERED;
      const kind = right === 1 ? "good" : right === 0 || !answered ? "poor" : "";
      const mark = right === 1 ? "✓ " : right === 0 || !answered ? "✗ " : "";
      box.append(make("p", { class: `said ${kind}` }, mark, name, bdi(answered ? text(value) : data.outcomes[outcome])),
        make("p", { class: "rule" }, make("code", {}, text(rule))));
    });
    const [said, reasoning, failure, conversation] = trial;
    const words = failure >= 0 ? text(failure) : text(said);
    const alone = answersOf(trial).some(([, value]) => value >= 0 && text(value) === words.trim());
    if (alone) { /* the answer says it all */ } else if (failure >= 0 || words.length > 120) box.append(make("p", { class: "reply", dir: "auto" }, failure >= 0 ? words : `${words.slice(0, 110)}…`));
    else box.append(make("p", { class: "reply", dir: "auto" }, words || "(empty)"));
    if (failure < 0 && words.length > 120) box.append(fold("Whole reply", words));
    if (reasoning >= 0) box.append(fold("Reasoning (not read as the answer)", text(reasoning), "reasoning"));
    const turns = conversation >= 0 ? data.conversations[conversation] ?? [] : [];
    if (turns.length) {
      const all = make("details", { class: "in" }, make("summary", {}, "Prompt"));
      for (const [role, turn] of turns) all.append(make("p", { class: "role" }, role), make("pre", { dir: "auto", tabindex: "0" }, turn));
      box.append(all);
    }
    return box;
  };

  const rowOf = (row) => {
    const at = task.samples.indexOf(row);
    const id = text(row[SAMPLE]);
    const plain = task.cells.some((cell) => cell.key[2] === "none") ? "none" : task.cells[0]?.key[2];
    const link = make("a", { href: `#samples&task=${encodeURIComponent(task.task)}&sample=${encodeURIComponent(id)}`, title: "Link to this sample" }, bdi(id));
    const truths = row[TRUTHS].map((truth, place) => [task.fields[place], truth]).filter(([, truth]) => truth >= 0);
    const groups = [...(row[PART] >= 0 ? [text(row[PART])] : []), ...row[GROUPS].map((group, place) => (group >= 0 ? `${task.groups[place]}: ${text(group)}` : "")).filter(Boolean)];
    const head = make("th", { scope: "row", class: "sample" }, ...picturesOf(row, plain, at),
      make("p", { class: "truth" }, ...truths.flatMap(([name, truth], place) => [place ? ", " : "", task.fields.length > 1 ? `${name}: ` : "", bdi(text(truth))]), ...(truths.length ? [] : ["truth unknown"])),
      make("p", { class: "rule" }, link), ...(groups.length ? [make("p", { class: "rule" }, groups.join(" · "))] : []));
    return make("tr", {}, head, ...columns.map((place) => {
      const condition = task.cells[place].key[2];
      const trials = row[CELLS][place];
      const cell = make("td", {}, ...(condition !== plain ? picturesOf(row, condition, at) : []), ...trials.map(trialOf));
      if (!trials.length) cell.append(make("span", { class: "quiet" }, "not asked"));
      return cell;
    }));
  };

  const show = () => {
    const found = matching();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, pages - 1);
    const first = page * PAGE;
    entries.hidden = !found.length;
    const head = make("tr", {}, make("th", { scope: "col" }, "Picture and truth"),
      ...columns.map((at) => make("th", { scope: "col" }, bdi(nameOf(task.cells[at])))));
    const table = make("table", { class: "grid-of-samples" }, make("thead", {}, head), make("tbody", {}, ...found.slice(first, first + PAGE).map(rowOf)));
    entries.replaceChildren(...(found.length ? [table] : []));
    const line = document.getElementById("found");
    line.textContent = found.length
      ? `${first + 1}–${Math.min(first + PAGE, found.length)} of ${found.length} that match`
      : "No sample matches.";
    if (only >= 0) {
      const all = make("button", { type: "button" }, "Show all samples");
      all.addEventListener("click", () => { only = -1; page = 0; show(); remember(); });
      line.append(" ", all);
    }
    document.getElementById("page").textContent = `page ${page + 1} of ${pages}`;
    document.getElementById("back").disabled = page === 0;
    document.getElementById("on").disabled = page === pages - 1;
    pager.hidden = pages === 1;
  };

  // The filters stand in the address, so that a view can be sent on: #samples&outcome=refused
  const remember = () => {
    const set = settings.map((name) => [name, form.elements[name].value]).filter(([name, value]) => value && !["a", "b"].includes(name));
    if (tasks.length < 2) set.splice(0, set.length, ...set.filter(([name]) => name !== "task"));
    if (["a-not-b", "b-not-a"].includes(form.elements.which.value)) set.push(["a", form.elements.a.value], ["b", form.elements.b.value]);
    set.push(["columns", columns.join(",")]);
    history.replaceState(null, "", `#samples${set.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("")}`);
  };
  const recall = () => {
    const hash = location.hash.slice(1);
    if (!hash.startsWith("samples&")) return;
    const state = new URLSearchParams(hash.slice("samples&".length));
    const named = tasks.find((one) => one.task === state.get("task"));
    if (named) { task = named; form.elements.task.value = named.task; }
    fill();
    for (const name of settings.slice(1)) {
      const value = state.get(name);
      if (value !== null && (name === "text" || [...form.elements[name].options].some((one) => one.value === value))) form.elements[name].value = value;
    }
    const wanted = (state.get("columns") ?? "").split(",").filter((one) => one !== "").map(Number).filter((at) => task.cells[at]);
    if (wanted.length) columns = wanted;
    const sample = state.get("sample");
    only = sample === null ? -1 : task.samples.findIndex((row) => text(row[SAMPLE]) === sample);
    page = 0;
    drawChoices();
    show();
    document.getElementById("samples").scrollIntoView({ behavior: "instant" });
  };

  if (!task) {
    document.getElementById("found").textContent = "No sample is finished yet.";
    return;
  }
  options(form.elements.task, tasks.map((one) => [one.task, one.task]));
  document.getElementById("task-label").hidden = tasks.length < 2;
  fill();
  form.hidden = false;
  form.addEventListener("input", (event) => {
    if (event.target === form.elements.task) { task = tasks.find((one) => one.task === event.target.value); fill(); }
    only = -1; page = 0; show(); remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { task = tasks[0]; only = -1; page = 0; fill(); show(); remember(); }));
  const turn = (step) => { page += step; show(); document.getElementById("samples").scrollIntoView(); };
  document.getElementById("back").addEventListener("click", () => turn(-1));
  document.getElementById("on").addEventListener("click", () => turn(1));
  addEventListener("hashchange", recall);
  show();
  recall();
})();
