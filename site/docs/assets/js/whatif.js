/* The page What if: tasks left out, another tau_max, other prices, a higher level; AUP and ranks anew. */

import { changed, h, keep, link, num, onEach, restore, right, scores, signed, usd } from "./page.js";
import { measure } from "./score.js";

onEach("#gb-what-if", async (root) => {
  const [said, result] = root.querySelectorAll("output, .gb-result");
  const boards = await scores(said);
  let shown = 50;

  function show() {
    const form = root.querySelector(`[data-board="${root.board.value}"]`);
    for (const other of root.querySelectorAll("[data-board]")) other.disabled = other.hidden = other !== form;
    const board = boards.find(({ id }) => id === root.board.value);
    const words = changed(root);
    keep(words);
    const settings = { column: root.col.value, drop: words.getAll("drop"), level: board.levels.indexOf(words.get("level")), tau: parseFloat(words.get("tau")), prices: {} };
    for (const row of form.querySelectorAll("[data-model]")) {
      const typed = [...row.querySelectorAll("input")].map((input) => parseFloat(input.value));
      if (typed[0] >= 0 && typed[1] >= 0) settings.prices[row.dataset.model] = typed.map((price) => (price >= 0 ? price : typed[0]));
    }
    const fault = settings.drop.length === board.tasks.length ? "One task at least must count." : root.checkValidity() ? "" : "A setting is out of its range.";
    const before = Object.fromEntries(measure(board, { column: settings.column }).rows.map((one) => [one.row.id, one]));
    const now = measure(board, settings);
    const rows = fault ? [] : now.rows.filter((one) => one.aup === one.aup).sort((a, b) => a.rank - b.rank || b.aup - a.aup);
    const ranked = rows.filter((one) => one.rank);
    const moved = ranked.filter((one) => one.rank !== before[one.row.id].rank);
    said.textContent = fault || (ranked.length ? `${ranked[0].row.label} leads. ${moved.length} of ${ranked.length} agents change rank. tau_max ${num(now.tau, 2)}.` : "Nobody is ranked.");
    const line = ({ row, aup, rank, cost, frontier }) => h`<tr>${[rank ?? "–", before[row.id].rank ?? "–"].map(right)}<th scope="row">${link(row)}</th>${
      [num(aup), signed(aup - before[row.id].aup), usd(cost), frontier ? "yes" : ""].map(right)}</tr>`;
    result.querySelector("tbody").innerHTML = h`${rows.slice(0, shown).map(line)}`.html;
    result.querySelector("button").hidden = rows.length <= shown;
    result.querySelector("p").textContent = board.total > board.rows.length ? `Ranks are among the leading ${board.rows.length} of ${board.total} agents.` : "";
  }

  restore(root);
  root.addEventListener("input", show);
  root.addEventListener("reset", () => setTimeout(show));
  root.addEventListener("submit", (event) => event.preventDefault());
  result.querySelector("button").addEventListener("click", () => show((shown = Infinity)));
  if (boards.length) show();
});
