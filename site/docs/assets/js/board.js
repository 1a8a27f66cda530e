/* The ranking in a reader's hands: sort, find, facets, presets, permalink, download, picks, a window over long boards.
   Takes the table that stands in the page and the file it names. What an entry says becomes text, never markup. */
import { board } from "./data.js";
import { onDisk, onPage } from "./page.js";
import { rowOf, text } from "./row.js";

const AHEAD = 8; // rows beyond the edges of the window, a moment after: a busy browser is never idle
const PICKS = 4;
const FIELDS = `rank rank_low rank_high id label agent organization level open_weights aup aup_low aup_high best usd search
  valid failure failed steps tokens date why`.split(/\s+/);
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

class Ranking {
  constructor(box) {
    box.dataset.ready = "";
    this.box = box;
    this.table = box.querySelector("table");
    this.body = this.table.tBodies[0];
    this.names = [...this.table.tHead.rows[0].cells].map(({ className }) => className.slice(2));
    this.first = 0;
    this.last = this.body.rows.length;
    this.inner = box.classList.contains("gb-window") && this.table.parentElement;
    this.form = document.querySelector(`form[data-for="${this.table.id}"]`);
    this.fields = this.form ? [...this.form.elements].filter((field) => field.name) : [];
    this.picked = new Set();
    this.sorted = "rank";
    this.cache = {};
    if (this.form) this.form.hidden = onDisk;
    box.toggleAttribute("data-drawn", onDisk || !this.form); // what the page came with is all there will be
    if (onDisk) return;
    this.listen();
    if (!this.form) return;
    this.form.classList.add("gb-ready");
    if (this.read()) this.apply();
    else setTimeout(() => this.load(), 99);
  }

  listen() {
    this.table.tHead.addEventListener("click", ({ target }) => {
      const key = target.dataset.key;
      if (!key) return;
      const down = key === this.sorted || (target.dataset.first === "descending" && `-${key}` !== this.sorted);
      this.sorted = down ? `-${key}` : key;
      this.apply();
    });
    this.body.addEventListener("change", ({ target }) => this.pick(target));
    this.body.addEventListener("mousemove", (event) => this.explain(event));
    if (this.inner) this.box.addEventListener("scroll", () => this.data && this.draw(), { passive: true });
    this.form?.addEventListener("submit", (event) => event.preventDefault());
    this.form?.addEventListener("input", () => this.apply());
    this.form?.addEventListener("click", ({ target }) => {
      if (target.dataset.do === "save") this.load().then(() => this.save());
      if (target.dataset.do !== "reset") return;
      this.form.reset();
      this.sorted = "rank";
      this.apply();
    });
  }

  /* The file, once; the rows beyond those of the page appear with it. */
  load() {
    return (this.loading ??= board(this.box.dataset.board).then((data) => {
      this.data = data;
      this.order = data.columns.id.map((_, row) => row);
      this.shown = this.order;
      this.draw();
    }).finally(() => this.box.toggleAttribute("data-drawn", true)));
  }

  async apply() {
    this.show(this.sorted);
    try {
      await this.load();
    } catch (fault) {
      if (this.form) this.form.querySelector("output").textContent = `not loaded: ${fault.message}`;
      throw fault;
    }
    this.sort();
    this.filter();
    this.box.scrollTop = 0;
    this.draw(true);
    this.table.setAttribute("aria-rowcount", this.shown.length + 1);
    if (this.form) this.link();
  }

  /* Which column is sorted, and which are there. */
  show(sorted) {
    const key = sorted.replace("-", "");
    for (const th of this.table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    const th = this.table.querySelector(`[data-key="${key}"]`).parentElement;
    th.setAttribute("aria-sort", key === sorted ? "ascending" : "descending");
    this.table.dataset.cols = this.value("cols");
  }

  value(name) {
    return this.form?.elements[name]?.value ?? "";
  }

  sort() {
    if (this.done === this.sorted) return;
    this.done = this.sorted;
    const key = this.sorted.replace("-", ""), { columns } = this.data;
    const value = (this.cache[key] ??= KEYS[key] ? this.order.map((_, i) => KEYS[key](columns, i)) : columns[key]);
    const sign = key === this.sorted ? 1 : -1;
    this.order = columns.id.map((_, row) => row).sort((a, b) => {
      const x = value[a], y = value[b];
      if (x === y) return a - b;
      if (x === null || y === null) return x === null ? 1 : -1; // unknown is last in both directions
      return x < y ? -sign : sign;
    });
  }

  /* Which rows stay, and which options would leave none. */
  filter() {
    const { columns, tasks } = this.data;
    const words = this.value("find").toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length && (this.cache.text ??= columns.id.map((_, i) => text(this.data, i)));
    const facets = this.fields.filter((field) => FACETS[field.name]);
    const fits = (field, row, wanted) => FACETS[field.name](columns, row, wanted, tasks);
    const empty = new Map(facets.map((field) => [field, [...field.options].filter((option) => option.value)]));
    this.shown = this.order.filter((row) => {
      if (!words.every((word) => found[row].includes(word))) return false;
      const failed = facets.filter((field) => field.value && !fits(field, row, field.value));
      for (const field of failed.length ? failed.slice(failed.length - 1 && 9) : facets)
        empty.set(field, empty.get(field).filter((option) => !fits(field, row, option.value)));
      return !failed.length;
    });
    for (const field of facets)
      for (const option of field.options) option.disabled = empty.get(field).includes(option) && !option.selected;
  }

  /* All rows, or those in sight: rows that stay are not touched, so that the keyboard's focus stays too. */
  draw(anew = false) {
    let first = 0, last = this.shown.length;
    if (this.inner) {
      this.height ||= this.body.rows[0].getBoundingClientRect().height;
      const seen = Math.ceil(this.box.clientHeight / this.height), ahead = anew ? 1 : AHEAD;
      if (anew) setTimeout(() => this.draw(), 99);
      first = Math.max(0, Math.min(Math.floor(this.box.scrollTop / this.height), last - seen) - ahead);
      last = Math.min(last, first + seen + 2 * ahead);
      this.inner.style.paddingTop = `${first * this.height}px`;
      this.inner.style.paddingBottom = `${(this.shown.length - last) * this.height}px`;
    }
    if (anew || first >= this.last || last <= this.first) {
      this.first = this.last = first;
      this.body.replaceChildren();
    }
    for (; this.first < first; this.first++) this.body.firstElementChild.remove();
    for (; this.last > last; this.last--) this.body.lastElementChild.remove();
    this.body.prepend(this.rows(first, this.first));
    this.body.append(this.rows(this.last, last));
    this.first = first;
    this.last = last;
  }

  /* The shown rows from one place to another. */
  rows(from, to) {
    const made = document.createElement("template");
    const wanted = this.shown.slice(from, Math.max(from, to));
    const spans = this.table.classList.contains("gb-spans");
    made.innerHTML = wanted.map((row, at) => rowOf(this.data, row, this.names, spans, this.inner && from + at + 2).html).join("");
    for (const tr of made.content.children) this.mark(tr);
    return made.content;
  }

  /* Up to four entries to compare. */
  pick({ value, checked }) {
    if (checked) this.picked.add(value);
    else this.picked.delete(value);
    for (const tr of this.body.rows) this.mark(tr);
    const go = this.form.querySelector(".gb-go");
    go.hidden = !this.picked.size;
    go.textContent = `Compare ${this.picked.size}`;
    go.href = `compare.html?ids=${[...this.picked]}`;
  }

  mark(tr) {
    const box = tr.querySelector("input");
    if (!box) return;
    box.checked = this.picked.has(box.value);
    box.disabled = !box.checked && this.picked.size >= PICKS;
  }

  /* The task under the pointer, in words. */
  explain({ target, clientX }) {
    const strip = target.closest(".gb-strip");
    if (!strip || !this.data) return;
    const letters = this.data.columns.strip[this.shown[this.first + target.closest("tr").sectionRowIndex]];
    const at = Math.floor((clientX - strip.getBoundingClientRect().left) / 11), letter = letters[at];
    if (letter) strip.parentElement.title = `${this.data.tasks[at][1]}: ${this.data.letters[letter.toLowerCase()]}`;
  }

  /* The address says what is seen; what others put there stays. */
  link() {
    const url = new URL(location.href);
    const put = (name, value) => (value ? url.searchParams.set(name, value) : url.searchParams.delete(name));
    for (const field of this.fields) put(field.name, field.value);
    put("sort", this.sorted === "rank" ? "" : this.sorted);
    history.replaceState(history.state, "", url);
    const all = this.data.columns.date.filter(Boolean).length;
    const left = this.shown.filter((row) => this.data.columns.date[row]).length;
    this.form.querySelector("output").textContent = left === all ? `${all} agent${all === 1 ? "" : "s"}` : `${left} of ${all}`;
  }

  /* From the address; says whether there was anything. */
  read() {
    const asked = new URLSearchParams(location.search);
    for (const field of this.fields) {
      field.value = asked.get(field.name) ?? "";
      if (field.selectedIndex < 0) field.selectedIndex = 0;
    }
    const sort = asked.get("sort") ?? "";
    if (/^-?[a-z]+$/.test(sort) && this.table.querySelector(`[data-key="${sort.replace("-", "")}"]`)) this.sorted = sort;
    return this.sorted !== "rank" || this.fields.some((field) => field.value);
  }

  /* The rows in sight as a CSV file; a spreadsheet runs none of its cells. */
  save() {
    const { columns } = this.data;
    const cell = (value) =>
      typeof value === "string" ? `"${value.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"` : value ?? "";
    const shown = (name, row) =>
      /^aup|best/.test(name) && columns[name][row] !== null ? columns[name][row] / 1000 : columns[name][row];
    const lines = this.shown.map((row) => FIELDS.map((name) => cell(shown(name, row))).join(","));
    const file = new Blob([[FIELDS.join(","), ...lines, ""].join("\n")], { type: "text/csv" });
    Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "gymboard.csv" }).click();
  }
}

onPage(() => document.querySelectorAll("[data-board]:not([data-ready])").forEach((box) => new Ranking(box)));
