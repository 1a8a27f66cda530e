/* The page What if: tasks left out, another tau_max, other prices, a higher level; AUP and ranks anew. */

import { h, keep, link, num, onEach, scores, signed, usd } from "./page.js";
import { measure } from "./score.js";

onEach("#gb-what-if", async (form) => {
  const [said, body, more, note] = form.querySelectorAll("output, tbody.gb-result, button[type=button], .gb-note");
  const boards = await scores(said);
  const asked = new URLSearchParams(location.search);
  const box = (one) => one.type === "checkbox";
  const first = (one) => (one.options ? one.options[0].value : one.defaultValue);
  let most = 50;

  for (const one of form.elements) {
    const given = asked.getAll(one.name);
    if (box(one)) one.checked = given.includes(one.value);
    else if (given.length) one.value = given[0];
    if (!one.value) one.value = first(one);
  }

  function show() {
    const board = boards.find(({ id }) => id === form.board.value);
    let mine;
    for (const set of form.querySelectorAll("[data-of]")) {
      set.disabled = set.hidden = set.dataset.of !== board.id;
      if (!set.hidden) mine = set;
    }
    const set = [...form.elements].filter((one) => one.name && !one.matches(":disabled") && (box(one) ? one.checked : one.value !== first(one)));
    const words = new URLSearchParams(set.map(({ name, value }) => [name, value]));
    keep(words);
    const settings = { column: form.col.value, drop: words.getAll("drop"), level: board.levels.indexOf(words.get("level")), tau: parseFloat(words.get("tau")), prices: {} };
    for (const row of mine.querySelectorAll("[data-model]")) {
      const typed = [...row.querySelectorAll("input")].map((input) => parseFloat(input.value));
      if (typed[0] >= 0 && typed[1] >= 0) settings.prices[row.dataset.model] = typed.map((price) => (price >= 0 ? price : typed[0]));
    }
    const fault = settings.drop.length === board.tasks.length ? "One task at least must count." : form.checkValidity() ? "" : "A setting is out of its range.";
    const before = new Map(measure(board, { column: settings.column }).rows.map((one) => [one.row.id, one]));
    const { tau, rows } = measure(board, settings);
    const ranked = rows.filter(({ rank }) => rank).sort((a, b) => a.rank - b.rank);
    const others = rows.filter(({ rank, aup }) => !rank && aup === aup).sort((a, b) => b.aup - a.aup);
    const lines = fault ? [] : [...ranked, ...others];
    const moved = ranked.filter((one) => one.rank !== before.get(one.row.id).rank);
    said.textContent = fault || `${ranked[0]?.row.label ?? "Nobody"} leads. ${moved.length} of ${ranked.length} agents change rank. tau_max ${num(tau, 2)}.`;
    body.innerHTML = h`${lines.slice(0, most).map((one) => line(one, before.get(one.row.id)))}`.html;
    more.hidden = lines.length <= most;
    note.textContent = board.total > board.rows.length ? `Ranks are among the leading ${board.rows.length} of ${board.total} agents.` : "";
  }

  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => show((most = Infinity)));
  if (boards.length) show();
});

function line({ row, aup, rank, cost, frontier }, before) {
  const right = (value, kind = "") => h`<td class="gb-num ${kind}">${value}</td>`;
  return h`<tr>${right(rank ?? "–")}${right(before.rank ?? "–")}<th scope="row" class="gb-agent">${link(row)}</th>${right(num(aup))}${
    right(signed(aup - before.aup), "gb-mid")}${right(row.tokens ? usd(cost) : "–")}${right(frontier ? "yes" : "", "gb-mid")}</tr>`;
}
