/* The board's arithmetic once more: AUP, ranks, costs, frontier, paired differences, as scoring/ defines them.
   Takes a board of scores.json and settings, gives numbers; NaN: not known. Touches no page. Held to scoring/ at 1e-9. */

/* Of 256 resamples of four seeds, in how many the j-th best is the best. */
const CHANCES = [175, 65, 15, 1];
const low = (count) => Math.floor(0.025 * (count - 1));
const high = (count) => Math.ceil(0.975 * (count - 1));

export const better = (values, max) => values.reduce((a, b) => (b !== b || (max ? a >= b : a <= b) ? a : b), NaN);

function logRatio({ max, ref }, score) {
  if (score === 0 && ref === 0) return 0;
  return score > 0 && ref > 0 ? Math.log10(max ? ref / score : score / ref) : NaN;
}

function feasible(scale, score) {
  return Number.isFinite(logRatio(scale, score)) && !(scale.max ? score < scale.base : score > scale.base);
}

const measured = (scale, score) => (feasible(scale, score) ? logRatio(scale, score) : scale.penalty);

function cohortScale(task, eps, scores) {
  const scale = { ...task, ref: better(scores.map((score) => (score >= 0 ? score : NaN)), task.max) };
  const logs = scores.filter((score) => feasible(scale, score)).map((score) => logRatio(scale, score));
  return { ...scale, penalty: (logs.length ? Math.max(...logs) : 0) + Math.log10(1 + eps) };
}

function cohortTau(scales) {
  const worst = scales.map((scale) => Math.ceil(Math.round(10 ** scale.penalty * 1e12) / 1e12));
  return Math.ceil(10 * Math.log10(Math.max(...worst))) / 10;
}

function cost({ model, tokens }, places, prices) {
  const used = (kind) => places.reduce((sum, at) => sum + (tokens[at][kind] ?? 0), 0);
  if (model !== model) return used(3) || used(4) ? NaN : 0;
  if (!used(4) || !Object.hasOwn(prices, model)) return NaN;
  return prices[model].reduce((sum, price, kind) => sum + price * used([0, 3, 1, 2][kind]), 0) / 1e6 / used(4);
}

/* The seeds' values of a row on the task at `at`, in one column. */
export const taken = ({ best, last }, column, at) => best[at].map((value, seed) => (column === "last" ? last[at][seed] ?? value : value));

/* Settings: column, drop (ids of tasks), tau, level (the lowest that counts), prices. Gives {tau, tasks, rows}; a row:
   {row, logs and parts (by task), seeds (by task: parts, best first), aup, cost, rank, frontier}; the last: the baseline. */
export function measure(board, { column = board.column, drop = [], tau = NaN, level = 0, prices = {} } = {}) {
  const places = [...board.tasks.keys()].filter((at) => !drop.includes(board.tasks[at].id));
  const tasks = places.map((at) => board.tasks[at]);
  const rows = board.rows.filter((row) => row.level >= level);
  const baseline = { id: "baseline", label: "Baseline", rank: {} };
  const values = (row, kind, at) => row === baseline ? [board.tasks[at].base] : taken(row, kind, at).map((value) => (board.tasks[at].half ? (1 + value) / 2 : value));
  const score = (kind, at) => (row) => better(values(row, kind, at), board.tasks[at].max);
  const scales = (kind) => places.map((at) => cohortScale(board.tasks[at], board.eps, [...rows, baseline].map(score(kind, at))));
  const end = tau === tau ? tau : board.frozen ? board.tau : cohortTau([...scales("best"), ...scales("last")]);
  const own = board.frozen ? tasks.map(({ penalty, ...task }) => ({ ...task, penalty: penalty === penalty ? penalty : end })) : scales(column);
  const all = { ...board.prices, ...prices };
  const part = (log) => Math.max(0, end - log) / tasks.length;
  const found = [...rows, baseline].map((row) => {
    const known = places.map((at) => values(row, column, at));
    const logs = known.map((some, place) => measured(own[place], better(some, tasks[place].max)));
    const seeds = known.map((some, place) => some.map((one) => part(measured(own[place], one))).sort((a, b) => b - a));
    const shown = row.rank[column]?.[0] > 0 || known.some((some) => some.some((one) => one === one));
    const parts = logs.map(part);
    const aup = shown ? parts.reduce((a, b) => a + b, 0) : NaN;
    return { row, logs, parts, seeds, aup, cost: row === baseline ? NaN : cost(row, places, all) };
  });
  place(found.filter(({ row }) => row.rank[column]?.[0] > 0));
  return { tau: end, tasks, rows: found };
}

/* Ranks of the ranked rows: a chain of AUPs closer than 1e-12 shares one. On the frontier: nobody is better in both. */
function place(rows) {
  rows.sort((a, b) => b.aup - a.aup);
  rows.forEach((one, at) => {
    one.rank = at && rows[at - 1].aup - one.aup <= 1e-12 ? rows[at - 1].rank : at + 1;
    one.frontier = one.cost >= 0 && !rows.some((other) => other.cost <= one.cost && other.aup >= one.aup && (other.cost < one.cost || other.aup > one.aup));
  });
}

/* The 95 % interval of a - b on one task, from every pair of resamples; a, b: parts, best seed first. */
export function difference(a, b) {
  const pairs = a.flatMap((x, i) => b.map((y, j) => [x - y, CHANCES[i] * CHANCES[j]])).sort((p, q) => p[0] - q[0]);
  return [low(65536), high(65536)].map((at) => pairs.find(([, count]) => (at -= count) < 0)[0]);
}

/* The same of the sum over tasks, from 4,000 resamples: the same two entries always give the same ends. */
export function sumDifference(a, b) {
  let state = 20502;
  const pick = (parts) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return parts[[175, 240, 255, 256].findIndex((end) => state >>> 24 < end)];
  };
  const draws = Float64Array.from({ length: 4000 }, () => a.reduce((sum, parts, at) => sum + pick(parts) - pick(b[at]), 0)).sort();
  return [draws[low(4000)], draws[high(4000)]];
}
