/* The ranking in a reader's hands: sort, find, facets, presets, permalink, download, picks, a window over long boards.
   Takes the table that stands in the page and the file it names, or two: the first rows, at once, and the rest, at the
   first sign that somebody wants more. What an entry says becomes text, never markup. */
import { board } from "./data.js";
import { h, onDisk, onPage } from "./page.js";
import { rowOf, text } from "./row.js";

const AHEAD = 8; // rows beyond the edges of the window, a moment after: a busy browser is never idle
const PICKS = 4;
const FIELDS = "rank rank_low rank_high id label agent organization level open_weights aup aup_low aup_high best usd search valid failure failed steps tokens date why".split(" ");
const KEYS = {
  agent: (c, i) => c.label[i].toLowerCase(),
  strip: (c, i) => (c.date[i] ? [...c.strip[i]].filter(beats).length : null),
  valid: (c, i) => (c.date[i] ? c.valid[i] : null),
};
const FACETS = {
  domain: (c, i, wanted, tasks) => tasks.some((task, at) => task[2] === wanted && beats(c.strip[i][at])),
  level: (c, i, wanted) => c.level[i] === wanted,
  weights: (c, i, wanted) => c.date[i] !== null && String(c.open_weights[i]) === wanted,
  cost: (c, i, wanted) =>
    c.date[i] !== null && (wanted === "unknown" ? c.usd[i] === null : c.usd[i] !== null && c.usd[i] <= wanted),
};

const beats = (letter) => "abAB".includes(letter);

function ranking(box) {
  const table = box.querySelector("table"), body = table.tBodies[0];
  const names = [...table.tHead.rows[0].cells].map(({ className }) => className.slice(2));
  const inner = box.matches(".gb-window") && table.parentElement;
  const form = document.querySelector(`form[data-for="${table.id}"]`);
  const fields = form ? [...form.elements].filter((field) => field.name) : [];
  const picked = new Set(), cache = {};
  let top = 0, end = body.rows.length; // the shown rows that are in the page
  let sorted = "rank", done, height, data, order, shown, loading, whole, later;

  function listen() {
    if (box.dataset.rest)
      for (const part of [table.tHead, form]) for (const kind of ["mousemove", "focusin"]) part?.addEventListener(kind, all);
    table.tHead.addEventListener("click", ({ target }) => {
      const key = target.dataset.key;
      if (!key) return;
      const down = key === sorted || (target.dataset.first === "descending" && `-${key}` !== sorted);
      sorted = down ? `-${key}` : key;
      apply();
    });
    body.addEventListener("change", ({ target }) => pick(target));
    body.addEventListener("mousemove", explain);
    if (inner) box.addEventListener("scroll", () => data && draw(), { passive: true });
    form?.addEventListener("submit", (event) => event.preventDefault());
    form?.addEventListener("input", apply);
    form?.addEventListener("click", ({ target }) => {
      if (target.dataset.do === "save") all().then(save);
      if (target.dataset.do !== "reset") return;
      form.reset();
      sorted = "rank";
      apply();
    });
  }

  /* The file, once; the rows beyond those of the page appear with it. */
  function load() {
    return (loading ??= board(box.dataset.board).then((found) => take((data = found))).finally(() => (box.dataset.drawn = "")));
  }

  /* Every row, once: where there are two files, the rest too. */
  function all() {
    return (whole ??= Promise.all([load(), box.dataset.rest && board(box.dataset.rest)]).then(([, more]) => {
      if (!more) return;
      for (const name in more.columns) data.columns[name] = data.columns[name].concat(more.columns[name]);
      data.missing = 0;
      take();
    }).catch((fault) => {
      if (form) form.querySelector("output").textContent = `not loaded: ${fault.message}`;
      throw fault;
    }));
  }

  /* The rows in the order of their ranks. */
  function take() {
    order = shown = data.columns.id.map((_, row) => row);
    draw();
  }

  async function apply() {
    box.scrollTop = 0; // what is measured after a change has to be laid out first
    const room = box.clientHeight || 1;
    show();
    await all();
    sort();
    filter();
    draw(room);
    table.ariaRowCount = shown.length + 1;
    if (form) link();
  }

  /* Which column is sorted, and which are there. */
  function show() {
    const key = sorted.replace("-", "");
    for (const th of table.tHead.rows[0].cells) th.ariaSort = null;
    const th = table.querySelector(`[data-key="${key}"]`).parentElement;
    th.ariaSort = key === sorted ? "ascending" : "descending";
    table.dataset.cols = chosen("cols");
  }

  const chosen = (name) => form?.elements[name]?.value ?? "";

  function sort() {
    if (done === sorted) return;
    done = sorted;
    const key = sorted.replace("-", ""), { columns } = data;
    const value = (cache[key] ??= KEYS[key] ? order.map((_, i) => KEYS[key](columns, i)) : columns[key]);
    const sign = key === sorted ? 1 : -1;
    order = columns.id.map((_, row) => row).sort((a, b) => {
      const x = value[a], y = value[b];
      if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1; // unknown is last in both directions
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  /* Which rows stay, and which options would leave none. */
  function filter() {
    const { columns, tasks } = data;
    const words = chosen("find").toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length && (cache.text ??= columns.id.map((_, i) => text(data, i)));
    const facets = fields.filter((field) => FACETS[field.name]);
    const fits = ({ name }, row, { value }) => !value || FACETS[name](columns, row, value, tasks);
    const empty = facets.map(({ options }) => [...options].filter((option) => option.value));
    shown = order.filter((row) => {
      if (!words.every((word) => found[row].includes(word))) return false;
      const failed = facets.filter((field) => !fits(field, row, field));
      facets.forEach((field, at) => {
        if (failed.every((other) => other === field)) empty[at] = empty[at].filter((option) => !fits(field, row, option));
      });
      return !failed.length;
    });
    facets.forEach((field, at) => {
      for (const option of field.options) option.disabled = empty[at].includes(option) && !option.selected;
    });
  }

  /* All rows, or those in sight: rows that stay are not touched, so that the keyboard's focus stays too. Rows that are
     not there yet leave their room. `anew`: other rows, from the top, of a box as high as that. */
  function draw(anew) {
    const { length } = shown, many = length + data.missing;
    let first = 0, last = length;
    if (inner) {
      height ||= body.rows[0].getBoundingClientRect().height;
      const seen = Math.ceil((anew || box.clientHeight) / height), ahead = anew ? 1 : AHEAD;
      clearTimeout(later);
      if (anew) later = setTimeout(draw, 99);
      first = Math.max(0, Math.min(anew ? 0 : Math.floor(box.scrollTop / height), many - seen) - ahead);
      last = first + seen + 2 * ahead;
      if (data.missing && last > length / 2) all();
      last = Math.min(last, length);
      first = Math.min(first, last);
      inner.style.paddingTop = `${first * height}px`;
      inner.style.paddingBottom = `${(many - last) * height}px`;
    }
    if (anew || first >= end || last <= top) {
      top = end = first;
      body.replaceChildren();
    }
    for (; top < first; top++) body.firstElementChild.remove();
    for (; end > last; end--) body.lastElementChild.remove();
    body.prepend(rows(first, top));
    body.append(rows(end, last));
    top = first;
    end = last;
  }

  /* The shown rows from one place to another. */
  function rows(from, to) {
    const made = document.createElement("template");
    const wanted = shown.slice(from, Math.max(from, to));
    const spans = table.matches(".gb-spans");
    made.innerHTML = h`${wanted.map((row, at) => rowOf(data, row, names, spans, inner && from + at + 2))}`.html;
    for (const tr of made.content.children) mark(tr);
    return made.content;
  }

  /* Up to four entries to compare. */
  function pick({ value, checked }) {
    if (checked) picked.add(value);
    else picked.delete(value);
    for (const tr of body.rows) mark(tr);
    const go = form.querySelector(".gb-go");
    go.textContent = `Compare ${picked.size}`;
    go.hidden = !picked.size;
    go.href = `compare.html?ids=${[...picked]}`;
  }

  function mark(tr) {
    const input = tr.querySelector("input");
    if (!input) return;
    input.checked = picked.has(input.value);
    input.disabled = !input.checked && picked.size >= PICKS;
  }

  /* The task under the pointer, in words. */
  function explain({ target, clientX }) {
    const strip = target.closest(".gb-strip");
    if (!strip || !data) return;
    const letters = data.columns.strip[shown[top + target.closest("tr").sectionRowIndex]];
    const at = Math.floor((clientX - strip.getBoundingClientRect().left) / 11), letter = letters[at];
    if (letter) strip.parentElement.title = `${data.tasks[at][1]}: ${data.letters[letter.toLowerCase()]}`;
  }

  /* The address says what is seen; what others put there stays. */
  function link() {
    const url = new URL(location.href);
    const put = (name, value) => (value ? url.searchParams.set(name, value) : url.searchParams.delete(name));
    for (const field of fields) put(field.name, field.value);
    put("sort", sorted === "rank" ? "" : sorted);
    history.replaceState(history.state, "", url);
    const dates = data.columns.date, agents = dates.filter(Boolean).length, left = shown.filter((row) => dates[row]).length;
    form.querySelector("output").textContent = left < agents ? `${left} of ${agents}` : `${agents} agent${agents === 1 ? "" : "s"}`;
  }

  /* From the address; says whether there was anything. */
  function read() {
    const asked = new URLSearchParams(location.search);
    for (const field of fields) {
      field.value = asked.get(field.name) ?? "";
      if (field.selectedIndex < 0) field.selectedIndex = 0;
    }
    const sort = asked.get("sort") ?? "";
    if (/^-?[a-z]+$/.test(sort) && table.querySelector(`[data-key="${sort.replace("-", "")}"]`)) sorted = sort;
    return sorted !== "rank" || fields.some((field) => field.value);
  }

  /* The rows in sight as a CSV file; a spreadsheet runs none of its cells. */
  function save() {
    const { columns } = data;
    const cell = (value) =>
      typeof value === "string" ? `"${value.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"` : value ?? "";
    const figure = (name, row) =>
      /^aup|best/.test(name) && columns[name][row] !== null ? columns[name][row] / 1000 : columns[name][row];
    const lines = shown.map((row) => FIELDS.map((name) => cell(figure(name, row))).join(","));
    const file = new Blob([[FIELDS.join(","), ...lines, ""].join("\n")], { type: "text/csv" });
    Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "gymboard.csv" }).click();
  }

  box.dataset.ready = "";
  if (form) form.hidden = onDisk;
  if (onDisk || !form) box.dataset.drawn = ""; // what the page came with is all there will be
  if (onDisk) return;
  listen();
  if (!form) return;
  form.classList.add("gb-ready");
  if (read()) apply();
  else setTimeout(load, 99);
}

onPage(() => document.querySelectorAll("[data-board]:not([data-ready])").forEach(ranking));
