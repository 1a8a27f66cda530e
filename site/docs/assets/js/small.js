/* Small tables, which a reader sorts by their heads; and names for what the theme leaves nameless. Pages are complete
   without it. */
import { onPage } from "./page.js";

function sortTable(table, column, kind, descending) {
  const body = table.tBodies[0];
  const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const x = value(a), y = value(b);
    if (!x || !y) return !x - !y; // unknown is last in both directions
    const order = kind === "num" ? Number(x) - Number(y) : x.localeCompare(y, "en");
    return descending ? -order : order;
  };
  body.append(...[...body.rows].sort(compare));
}

function onSort(table, button) {
  const head = button.closest("th");
  const before = head.ariaSort;
  const next = !before ? button.dataset.first : before === "ascending" ? "descending" : "ascending";
  for (const th of head.parentElement.cells) th.ariaSort = null;
  head.ariaSort = next;
  sortTable(table, head.cellIndex, button.dataset.sort, next === "descending");
}

// What the theme makes without a name or out of a keyboard's reach: boxes that scroll, copy buttons, folded navigation.
function reachable() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) box.tabIndex = 0;
  document.querySelectorAll(".md-code__nav").forEach((nav, at) => (nav.ariaLabel = `Code ${at + 1}`));
  for (const nav of document.querySelectorAll("nav.md-nav[aria-labelledby]")) {
    const title = nav.querySelector(":scope > .md-nav__title")?.textContent.trim();
    if (!title || document.getElementById(nav.getAttribute("aria-labelledby"))?.textContent.trim()) continue;
    nav.removeAttribute("aria-labelledby");
    nav.ariaLabel = title;
  }
}

onPage(() => {
  for (const table of document.querySelectorAll("table[data-sortable]:not([data-ready])")) {
    table.dataset.ready = "";
    for (const button of table.querySelectorAll("thead button[data-sort]"))
      button.addEventListener("click", () => onSort(table, button));
  }
  requestAnimationFrame(reachable);
});
