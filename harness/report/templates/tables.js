"use strict";
// Tables: sorted by a click on a heading, copied as tab-separated text; folded parts open for a link into them.
(() => {
  const wordsOf = (cell) => {
    if (cell.dataset.copy) return cell.dataset.copy;
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("svg, button").forEach((node) => node.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const number = (text) => {
    const found = /^[★≈✓✗\s]*([-+−]?[\d,]*\.?\d+)/u.exec(text);
    return found ? Number(found[1].replace(/,/g, "").replace("−", "-")) : NaN;
  };
  const keyOf = (row, place) => {
    const cell = row.cells[place];
    const text = cell ? cell.dataset.sort ?? wordsOf(cell) : "";
    return [text === "-inf" ? -Infinity : number(text), text];
  };

  const sortBy = (table, place, head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row, place), row]);
    const numeric = rows.filter(([[value]]) => !Number.isNaN(value)).length * 2 > rows.length;
    rows.sort(([[a, x]], [[b, y]]) => numeric
      ? Number.isNaN(a) - Number.isNaN(b) || (down ? b - a : a - b)
      : (down ? -1 : 1) * x.localeCompare(y, undefined, { numeric: true }));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };

  const sortable = (table) => {
    if (!table.tHead || table.tBodies.length !== 1 || table.tBodies[0].rows.length < 2) return;
    const heads = table.tHead.rows;
    if (heads.length !== 1 || [...heads[0].cells].some((cell) => cell.colSpan > 1)) return;
    [...heads[0].cells].forEach((head, place) => {
      if (head.tagName !== "TH" || head.querySelector(".unseen")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sorter";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sortBy(table, place, head));
    });
  };

  const copied = async (text) => {
    if (navigator.clipboard) {
      try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed here: the older way */ }
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("aria-label", "copied text");
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const copyable = (box) => {
    const table = box.querySelector(":scope > table");
    if (!table) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy table";
    button.addEventListener("click", async () => {
      const lines = [...table.rows].map((row) => [...row.cells].map(wordsOf).join("\t"));
      button.textContent = await copied(lines.join("\n")) ? "Copied" : "Not copied";
      setTimeout(() => { button.textContent = "Copy table"; }, 1500);
    });
    if (box.closest(".board")) box.before(button);
    else box.after(button);
  };

  const ready = (root) => {
    for (const box of root.querySelectorAll(".scroll")) {
      if (box.dataset.ready || box.id === "entries") continue;
      box.dataset.ready = "yes";
      copyable(box);
      box.querySelectorAll("table.sortable, table.scores").forEach(sortable);
    }
  };
  // What is folded away is made ready when it is opened.
  for (const box of document.querySelectorAll("main > section, .boardbox")) ready(box);
  for (const fold of document.querySelectorAll("details")) {
    if (fold.open) ready(fold);
    fold.addEventListener("toggle", () => { if (fold.open) ready(fold); });
  }

  const unfold = () => {
    const name = decodeURIComponent(location.hash.slice(1).split("&")[0]);
    const target = name ? document.getElementById(name) : null;
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target && target.closest("details")) target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
