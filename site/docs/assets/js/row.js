/* One row of the ranking, as scoring/publish/table.py and the macro `line` write it: tests compare the two. */
import { h, num, usd } from "./page.js";

const OUTLINE = ".5.5h8v15h-8z";
const CELLS = { b: ["b", " 0h9v16h-9z"], a: ["a", " 0h9v16h-9z"], l: ["l", " 0h9v16h-9zm1 1v9h7v-9z"],
  n: ["n", `${OUTLINE}m0 6l6-6m2 6l-8 8m2 1l6-6`], x: ["n", " 8h3", 3], p: ["n", OUTLINE] };

const thousandths = (value) => num(value === null ? NaN : value / 1000);

function count(value) {
  for (const [size, unit] of [[1e6, "M"], [1e3, "k"]])
    if (value >= size) return (value / size).toFixed(value >= 100 * size ? 0 : 1) + unit;
  return value ?? "–";
}

function rank(c, i) {
  const low = c.rank_low[i], high = c.rank_high[i];
  return low === null || low === high ? c.rank[i] ?? "–" : `${low}–${high}`;
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
  const drawn = [..."balnq"].filter((kind) => paths[kind]).map((kind) => h`<path class="${kind}" d="${paths[kind]}"/>`);
  return h`<svg class="gb-strip" viewBox="0 0 ${width} 16" width="${width}" height="16" role="img" aria-label="${said}">${drawn}</svg>`;
}

function whisker({ columns: c, scale: [low, high] }, i) {
  const at = (value) => Math.floor((200 * (Math.min(Math.max(value, low), high) - low)) / (high - low || 1) + 0.5);
  const left = at(c.aup_low[i]), right = at(c.aup_high[i]), point = at(c.aup[i]);
  const path = c.aup[i] === null || c.aup_low[i] === null ? "" : `M${left} 3h${right - left}v2h${left - right}zM${point - 2} 0h4v8h-4z`;
  return h`<svg class="gb-whisker" viewBox="0 0 200 8" preserveAspectRatio="none" aria-hidden="true"><path d="${path}"/></svg>`;
}

const trouble = ({ columns: c, failures }, i) => (c.failure[i] ? `${failures[c.failure[i]]} · ${c.failed[i]}` : "–");

/* What the search field looks through. */
export function text(data, i) {
  const c = data.columns;
  return [c.id[i], c.label[i], c.agent[i], c.organization[i], c.level[i], trouble(data, i)].join(" ").toLowerCase();
}

/* The markup of row `i`, with the cells of those columns: names as in `k-rank`. `place`: its line of a long table. */
export function rowOf(data, i, columns, spans, place) {
  const c = data.columns, id = c.id[i], base = id === "baseline", label = c.label[i], level = c.level[i];
  const by = base ? "the tasks' own starting code" : [c.agent[i], c.organization[i]].filter(Boolean).join(" · ");
  const cells = {
    rank: rank(c, i),
    aup: h`${thousandths(c.aup[i])}${spans && whisker(data, i)}`,
    best: thousandths(c.best[i]),
    usd: base ? "–" : usd(c.usd[i] ?? NaN),
    strip: h`${strip(c.strip[i])}${c.why[i] && h`<small>${c.why[i]}</small>`}`,
    search: c.search[i] === null ? "–" : `${c.search[i]}/${data.searched}`,
    valid: base ? "–" : `${c.valid[i]}/${data.episodes}`,
    failure: trouble(data, i),
    steps: count(c.steps[i]),
    tokens: count(c.tokens[i]),
    date: c.date[i] ?? "–",
    pick: !base && h`<input type="checkbox" value="${id}" aria-label="Compare ${label}">`,
  };
  const agent = h`<th scope="row" class="k-agent"><a${!base && h` href="entries/${id}.html"`} title="${label}">${label}</a>${
    level && h`<i class="gb-badge gb-badge-${level}">${level}</i>`}<small>${by}</small></th>`;
  const kind = base ? "gb-row-baseline" : c.band[i] ? `gb-tie-${c.band[i] % 2}` : "";
  return h`<tr${kind && h` class="${kind}"`}${place && h` aria-rowindex="${place}"`}>${
    columns.map((name) => (name === "agent" ? agent : h`<td class="k-${name}">${cells[name]}</td>`))}</tr>`;
}
