/* Sorting and filtering of tables that are complete without this file. No dependency, no request. */
"use strict";

function sortTable(table, column, kind, descending) {
  const body = table.tBodies[0];
  const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === "" || y === "") return (x === "") - (y === ""); // unknown is last in both directions
    const order = kind === "num" ? Number(x) - Number(y) : x.localeCompare(y, "en");
    return descending ? -order : order;
  };
  body.append(...[...body.rows].sort(compare));
}

function onSort(table, button) {
  const head = button.closest("th");
  const before = head.getAttribute("aria-sort");
  const next = before === null ? button.dataset.first : before === "ascending" ? "descending" : "ascending";
  for (const th of head.parentElement.cells) th.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", next);
  sortTable(table, head.cellIndex, button.dataset.sort, next === "descending");
}

function filterTable(table, words, output) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  output.textContent = wanted.length ? `${shown} of ${table.tBodies[0].rows.length}` : "";
}

function start() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    if (table.dataset.ready) continue;
    table.dataset.ready = "yes";
    for (const button of table.querySelectorAll("thead button[data-sort]"))
      button.addEventListener("click", () => onSort(table, button));
  }
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const table = document.getElementById(input.dataset.filter);
    const output = document.querySelector(`[data-count="${input.dataset.filter}"]`);
    if (!table || !output) continue;
    input.closest("[hidden]")?.removeAttribute("hidden");
    input.addEventListener("input", () => filterTable(table, input.value, output));
  }
  requestAnimationFrame(reachable);
}

// What the theme makes without a name or out of a keyboard's reach: boxes that scroll, copy buttons, folded navigation.
function reachable() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) box.tabIndex = 0;
  document.querySelectorAll(".md-code__nav").forEach((nav, at) => nav.setAttribute("aria-label", `Code ${at + 1}`));
  for (const nav of document.querySelectorAll("nav.md-nav[aria-labelledby]")) {
    const title = nav.querySelector(":scope > .md-nav__title")?.textContent.trim();
    if (!title || document.getElementById(nav.getAttribute("aria-labelledby"))?.textContent.trim()) continue;
    nav.removeAttribute("aria-labelledby");
    nav.setAttribute("aria-label", title);
  }
}

if (typeof document$ === "undefined") document.addEventListener("DOMContentLoaded", start);
else document$.subscribe(start);
