/* One row of the ranking, as scoring/publish/table.py and the macro `line` write it: tests compare the two. */
const SVG = "http://www.w3.org/2000/svg";
const OUTLINE = ".5.5h8v15h-8z";
const CELLS = { b: ["b", " 0h9v16h-9z"], a: ["a", " 0h9v16h-9z"], l: ["l", " 0h9v16h-9zm1 1v9h7v-9z"],
  n: ["n", `${OUTLINE}m0 6l6-6m2 6l-8 8m2 1l6-6`], x: ["n", " 8h3", 3], p: ["n", OUTLINE] };
const UNKNOWN = "–";

const number = (value) => (value === null ? UNKNOWN : (value / 1000).toFixed(3));
const usd = (value) => (value === null ? "N/A" : `$${value.toFixed(value > 0 && value < 0.1 ? 4 : 2)}`);

function count(value) {
  if (value === null) return UNKNOWN;
  for (const [size, unit] of [[1e6, "M"], [1e3, "k"]])
    if (value >= size) return (value / size).toFixed(value >= 100 * size ? 0 : 1) + unit;
  return `${value}`;
}

function place(c, i) {
  const [low, high] = [c.rank_low[i], c.rank_high[i]];
  if (c.rank[i] === null) return UNKNOWN;
  return low === null || low === high ? c.rank[i] : `${low}–${high}`;
}

function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  made.append(...inside);
  return made;
}

function drawing(attributes, paths) {
  const svg = document.createElementNS(SVG, "svg");
  for (const key in attributes) svg.setAttribute(key, attributes[key]);
  for (const [kind, d] of paths) {
    const path = document.createElementNS(SVG, "path");
    if (kind) path.setAttribute("class", kind);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

function strip(letters) {
  const paths = {};
  [...letters].forEach((letter, task) => {
    const [kind, path, inset = 0] = CELLS[letter.toLowerCase()];
    paths[kind] = `${paths[kind] ?? ""}M${11 * task + inset}${path}`;
    if (letter < "a") paths.q = `${paths.q ?? ""}M${11 * task + 2} 8a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0`;
  });
  const many = (wanted) => [...letters.toLowerCase()].filter((letter) => wanted.includes(letter)).length;
  const said = `beats the baseline on ${many("ab")} of ${letters.length} tasks`
    + (many("n") ? `, no valid score on ${many("n")}` : "") + (many("x") ? `, ${many("x")} not run` : "");
  const width = 11 * letters.length - 2;
  const box = { class: "gb-strip", viewBox: `0 0 ${width} 16`, width, height: 16, role: "img", "aria-label": said };
  return drawing(box, [..."balnq"].filter((kind) => paths[kind]).map((kind) => [kind, paths[kind]]));
}

function whisker({ columns: c, scale: [low, high] }, i) {
  const at = (value) => Math.floor((200 * (Math.min(Math.max(value, low), high) - low)) / (high - low || 1) + 0.5);
  const box = { class: "gb-whisker", viewBox: "0 0 200 8", preserveAspectRatio: "none", "aria-hidden": "true" };
  if (c.aup[i] === null || c.aup_low[i] === null) return drawing(box, [["", ""]]);
  const left = at(c.aup_low[i]), right = at(c.aup_high[i]), point = at(c.aup[i]);
  return drawing(box, [["", `M${left} 3h${right - left}v2h${left - right}zM${point - 2} 0h4v8h-4z`]]);
}

const trouble = ({ columns: c, failures }, i) => (c.failure[i] ? `${failures[c.failure[i]]} · ${c.failed[i]}` : UNKNOWN);

/* What the search field looks through. */
export function text(data, i) {
  const c = data.columns;
  return [c.id[i], c.label[i], c.agent[i], c.organization[i], c.level[i], trouble(data, i)].join(" ").toLowerCase();
}

/* A <tr> for row `i` with the columns that `table` has. */
export function rowOf(data, i, table) {
  const c = data.columns, base = c.id[i] === "baseline", label = c.label[i], level = c.level[i];
  const by = base ? "the tasks' own starting code" : [c.agent[i], c.organization[i]].filter(Boolean).join(" · ");
  const name = element("a", { ...(base ? {} : { href: `entries/${c.id[i]}.html` }), title: label }, label);
  const badge = level ? [element("i", { class: `gb-badge gb-badge-${level}` }, level)] : [];
  const box = { type: "checkbox", value: c.id[i], "aria-label": `Compare ${label}` };
  const cells = {
    rank: [place(c, i)],
    aup: [number(c.aup[i]), ...(table.classList.contains("gb-spans") ? [whisker(data, i)] : [])],
    best: [number(c.best[i])],
    usd: [base ? UNKNOWN : usd(c.usd[i])],
    strip: [strip(c.strip[i]), ...(c.why[i] ? [element("small", {}, c.why[i])] : [])],
    search: [c.search[i] === null ? UNKNOWN : `${c.search[i]}/${data.searched}`],
    valid: [base ? UNKNOWN : `${c.valid[i]}/${data.episodes}`],
    failure: [trouble(data, i)],
    steps: [count(c.steps[i])],
    tokens: [count(c.tokens[i])],
    date: [c.date[i] ?? UNKNOWN],
    pick: base ? [] : [element("input", box)],
  };
  const tie = c.band[i] ? { class: `gb-tie-${c.band[i] % 2}` } : {};
  const tr = element("tr", base ? { class: "gb-row-baseline" } : tie);
  for (const th of table.tHead.rows[0].cells) {
    const kind = th.className.slice(2);
    if (kind === "agent") tr.append(element("th", { scope: "row", class: "k-agent" }, name, ...badge, element("small", {}, by)));
    else tr.append(element("td", { class: `k-${kind}` }, ...cells[kind]));
  }
  return tr;
}
