/* The page Compare: two to four agents of one board, task by task, against the first of them. */

import { h, keep, link, load, num, onEach, scores, signed, usd } from "./page.js";
import { better, difference, measure, sumDifference, taken } from "./score.js";

const DASHES = ["", "7 2", "2 2", "9 2 2 2"];

onEach("#gb-compare", async (root) => {
  const [said, result] = root.querySelectorAll("output, .gb-result");
  const boards = await scores(said);
  const asked = new URLSearchParams(location.search);
  const tokens = asked.getAll("ids").join().split(",").filter(Boolean);
  const leaders = boards.find(({ rows }) => rows.length > 1)?.rows.slice(0, 2).map(({ id }) => id);
  root.ids.forEach((input, at) => (input.value = (tokens.length ? tokens : leaders ?? [])[at] ?? ""));
  root.col.value = asked.get("col") === "best" ? "best" : "last";
  root.querySelector("datalist").innerHTML = h`${boards.flatMap(({ rows }) => rows).map(({ id, label }) => h`<option value="${id}">${label}</option>`)}`.html;

  async function find(token) {
    const named = ({ id, key, label }) => [id, key, label].includes(token);
    for (const board of boards) {
      const row = board.rows.find(named), other = board.without.find(named);
      if (row) return { board, row };
      if (other) return { fault: h`${link(other)} has no AUP to compare: ${other.why}. ` };
    }
    const beyond = /^[a-z0-9~-]+$/.test(token) && boards.some(({ rows, total }) => total > rows.length);
    const other = beyond && (await load(`scores/${token}.gzip`).catch(() => null));
    if (other) return { board: boards.find(({ id }) => id === other.board), row: other.row };
    return { fault: h`“${token}” is not on the board: removed, renamed or never there (<a href="ledger.html">ledger</a>). ` };
  }

  async function show() {
    const wanted = [...new Set([...root.ids].map((input) => input.value.trim()).filter(Boolean))];
    const found = await Promise.all(wanted.map(find));
    const board = found.find(({ row }) => row)?.board;
    const kept = found.filter((one) => one.row && one.board === board).map(({ row }) => row);
    const faults = found.map((one) => one.fault ?? (one.board === board ? "" : h`${link(one.row)} is on another board, “${one.board.title}”: the two are never mixed. `));
    const column = root.col.value;
    keep(`ids=${kept.map(({ key }) => key)}${column === "best" ? "&col=best" : ""}`);
    if (kept.length < 2) faults.push("Name two agents with an AUP.");
    const all = kept.length > 1 && measure({ ...board, rows: [...new Set([...board.rows, ...kept])] }, { column });
    const chosen = all ? kept.map((row) => all.rows.find((one) => one.row === row)) : [];
    said.innerHTML = h`${faults}${chosen.slice(1).map((one) => finding(one, chosen[0]))}`.html;
    result.innerHTML = all ? h`${profiles(board, chosen, all)}${table(board, chosen, column)}`.html : "";
  }

  root.addEventListener("change", show);
  root.addEventListener("submit", (event) => event.preventDefault());
  return show();
});

const range = ([from, to], digits) => `${signed(from, digits)} to ${signed(to, digits)}`;
const verdict = ([from, to]) => (from > 1e-12 ? "ahead" : to < -1e-12 ? "behind" : "level");

function finding(one, first) {
  const ends = sumDifference(one.seeds, first.seeds);
  const names = [one, first].map(({ row }) => h`<bdi>${row.label}</bdi>`);
  if (verdict(ends) === "level") return h`<b>${names[0]} and ${names[1]} cannot be told apart</b>: AUP differs by ${signed(one.aup - first.aup)} (${range(ends)}). `;
  return h`<b>${names[0]} is ${ends[0] > 0 ? "ahead of" : "behind"} ${names[1]}</b> by ${num(Math.abs(one.aup - first.aup))} of AUP (${range(ends)}). `;
}

function profiles(board, chosen, { tau, tasks }) {
  const share = ({ logs }, end) => 100 * (1 - logs.filter((log) => log <= end).length / tasks.length);
  const path = (one) => one.logs.filter((log) => log > 0 && log <= tau).sort((a, b) => a - b).map((log) => `H${(100 * log) / tau}V${share(one, log)}`);
  const line = (one, at) => h`<path d="M0 ${share(one, 0)}${path(one)}H100" stroke="var(--gb-c${at + 1})" stroke-dasharray="${DASHES[at]}"/>`;
  const what = board.frozen ? "reference" : "best value";
  const words = chosen.map((one) => `${one.row.label} on ${Math.round(tasks.length * (1 - share(one, 0) / 100))}`).join(", ");
  return h`<figure class="gb-figure gb-profiles"><figcaption>At the ${what}, of ${tasks.length} tasks: <bdi>${words}</bdi></figcaption><div><span>100 %</span><span>50 %</span><span>0 %</span><svg role="img" aria-label="Performance profiles" viewBox="0 0 100 100" preserveAspectRatio="none">${chosen.map(line)}</svg></div><p><span>0</span><span>log10 of the ratio to the ${what}</span><span>${num(tau, 2)}</span></p></figure>`;
}

function table(board, chosen, column) {
  const [first, ...others] = chosen;
  const gaps = others.map((one) => one.seeds.map((parts, at) => difference(parts, first.seeds[at])));
  const size = Math.max(1e-9, ...gaps.flat(2).map(Math.abs)) / 100;
  const line = (head, cell, against) => h`<tr><th scope="row">${head}</th>${chosen.map((one, at) => h`<td class="gb-num">${cell(one)}${at ? against(one, gaps[at - 1]) : ""}</td>`)}</tr>`;
  const rank = ({ row: { rank: { [column]: [rank, from, to] = [] } } }) => (rank > 0 ? (from < to ? `${from}–${to}` : rank) : "–");
  const gap = (one, ends, at) => h`<span class="gb-${verdict(ends)}"><b>${signed(one.parts[at] - first.parts[at], 4)}</b><svg class="gb-gap" viewBox="-100 0 200 10" preserveAspectRatio="none" aria-hidden="true"><path d="M0 0V10"/><path d="M${ends[0] / size} 5H${ends[1] / size}M${(one.parts[at] - first.parts[at]) / size} 1V9"/></svg><small>${range(ends, 4)}</small></span>`;
  const counts = (ends) => ["ahead", "level", "behind"].map((word) => ends.filter((one) => verdict(one) === word).length).join(" / ");
  return h`<div class="gb-scroll" tabindex="0" role="region" aria-label="Task by task"><table class="gb-table gb-compared"><thead><tr><th scope="col">Task</th>${chosen.map((one, at) => h`<th scope="col" class="gb-num"><svg width="26" height="8" aria-hidden="true"><path d="M0 4H26" stroke="var(--gb-c${at + 1})" stroke-dasharray="${DASHES[at]}"/></svg> ${link(one.row)}</th>`)}</tr></thead><tbody>${line("Rank on the board", rank, () => "")}${line("AUP", ({ aup }) => num(aup), (one) => h`<small>${signed(one.aup - first.aup)}</small>`)}${line("Tasks ahead / level / behind", () => "", (_, ends) => counts(ends))}${line("$ / episode", ({ cost }) => usd(cost), ({ cost }) => h`<small>${num(cost / first.cost, 2)}×</small>`)}${board.tasks.map((task, at) => line(h`<a href="tasks/${task.id}.html">${task.title}</a><span class="gb-by">${task.metric}, ${task.max ? "higher" : "lower"} is better</span>`,
      ({ row }) => num(better(taken(row, column, at), task.max)), (one, ends) => gap(one, ends[at], at)))}</tbody></table></div>`;
}
