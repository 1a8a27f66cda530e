/* The steps of an entry's episodes: rows from the index that the page holds, full texts when a reader asks for them.
   Takes the blocks of .gb-task; every text is set by textContent, never as markup. Without this file the letters stay. */
import { fetched, same, unpacked } from "./part.js";

const MOST_ROWS = 2000; // of an episode
const LONG = 200000; // characters of a text
const EPISODES = ".gb-task > details > ol > li";
const kinds = {};
const make = (name, text = "", more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
const visible = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, (c) => ("\n\t".includes(c) ? c : "\ufffd"));
const beside = document.querySelector("[data-times]")?.dataset.times; // seconds and exit codes, where the build saw them
let times = null;

/* Its letters, where they were recorded, and below them what it was told. */
function lines(episode) {
  const [first, second] = episode.querySelectorAll(":scope > p:not([class])");
  return episode.dataset.steps ? { told: first } : { trace: first, told: second };
}

function stepOf(id, at, letter, told, seconds, code) {
  const row = make("li", "", { id, tabIndex: -1 });
  const facts = [kinds[letter], seconds != null && `${seconds} s`, code != null && `exit ${code}`];
  const head = make("summary"), box = make("details");
  head.append(
    make("b", letter, { className: `gb-kind gb-kind-${letter}` }),
    make("span", facts.filter(Boolean).join(", ")),
    make("span", told ?? (letter === "U" ? "submit" : ""), { className: "gb-value" }),
  );
  box.append(head, make("p", "Not fetched.", { className: "gb-of" }));
  row.append(make("a", at, { href: `#${id}` }), box);
  return row;
}

async function rows(episode) {
  if (beside) times ??= fetch(beside).then((answer) => answer.json()).catch(() => ({}));
  const [seconds = [], codes = []] = (await times)?.[episode.id] ?? [];
  if (episode.list) return episode.list;
  const told = {};
  for (const [, step, words] of (lines(episode).told?.textContent ?? "").matchAll(/(\d+):((?:submit ?)?\S*)/g))
    told[step] = words;
  episode.list = make("ol", "", { className: "gb-steps" });
  const letters = lines(episode).trace?.textContent.trim() ?? "?".repeat(episode.dataset.steps);
  for (const letter of letters.slice(0, MOST_ROWS)) {
    const at = episode.list.children.length + 1, id = `${episode.id}.step-${at}`;
    document.getElementById(id)?.removeAttribute("id"); // a link had better lead to the step itself
    episode.list.append(stepOf(id, at, letter, told[at], seconds[at - 1], codes[at - 1]));
  }
  episode.append(episode.list);
  return episode.list;
}

function fill(list, text) {
  for (const { step, action, observation } of text.split("\n").filter(Boolean).map((line) => JSON.parse(line))) {
    const box = list.children[step - 1]?.lastChild;
    if (!box) continue;
    const asked = action.tool ? `${action.tool} ${JSON.stringify(action.arguments ?? {}, null, 1)}` : action.command;
    const said = { reasoning: action.reasoning, thought: action.thought, [action.kind]: asked || action.path, answer: observation };
    box.replaceChildren(box.firstChild);
    for (const [name, words] of Object.entries(said).filter(([, words]) => words)) {
      const more = words.length > LONG ? `\n… ${words.length - LONG} more` : "";
      box.append(make("h5", name), make("pre", visible(words.slice(0, LONG)) + more, { tabIndex: 0 }));
    }
  }
}

/* The payload part of an episode, as the list under Provenance names it. */
function partOf(episode) {
  const task = episode.id.replace(/\.\d+$/, "");
  const listed = [...document.querySelectorAll(".gb-parts dt")].find((one) => one.firstChild.data === task)?.nextSibling;
  if (!listed) return;
  const [size, sha256] = listed.textContent.split(/\s+/), url = listed.querySelector("a")?.getAttribute("href");
  return { part: `${task}.tar.zst`, url, size: +size.replace(/\D/g, ""), sha256 };
}

/* The digest of a part by the public record, which is the one that the page names. */
async function recorded(part) {
  const record = document.querySelector(".gb-provenance dt > a[href$='/bundle.json']");
  const sha256 = record.parentNode.nextSibling.querySelector("code").textContent;
  const { payload } = JSON.parse(new TextDecoder().decode(await same(await fetched(record.href), sha256)));
  return payload.find(({ name }) => name === part).sha256;
}

async function read(episode, bytes) {
  const say = episode.querySelector("output"), own = episode.dataset.text;
  const { url, part, size, sha256 } = partOf(episode) ?? {};
  say.textContent = "…";
  try {
    const member = `${episode.id.replace(/\.(?=\d+$)/, "/seed-")}/steps.jsonl`;
    const text = own ? await fetched(own) : await unpacked(bytes ?? (await fetched(url, size)), sha256 ?? (await recorded(part)), member);
    fill(await rows(episode), new TextDecoder().decode(text));
    episode.list.hidden = false;
    say.textContent = own ? "Open a step to read it." : "These are the bytes that the entry's record names. Open a step to read it.";
  } catch (fault) {
    say.textContent = `${fault.message} `;
    if (own) return;
    const choose = make("input", "", { type: "file", ariaLabel: `${part}, downloaded` });
    choose.onchange = async () => read(episode, await choose.files[0].arrayBuffer());
    say.append(url ? make("a", `Download ${part}`, { href: url, rel: "nofollow" }) : `Take ${part}`, " and choose it here: ", choose);
  }
}

const button = (text, onclick) => make("button", text, { type: "button", onclick });

function dress(episode) {
  const bar = make("p", "", { className: "gb-do" }), { url, part, size } = partOf(episode) ?? {};
  const from = episode.dataset.text ? "" : url ? ` (from ${new URL(url, location).host}, ${Math.ceil(size / 1024)} KiB)` : ` (${part})`;
  bar.append(button("Steps", async () => {
    const before = episode.list;
    const list = await rows(episode);
    list.hidden = before ? !list.hidden : false;
  }), part || episode.dataset.text ? button(`Full text${from}`, () => read(episode)) : "", make("output"));
  const { trace } = lines(episode);
  if (trace) trace.before(bar);
  else episode.append(bar);
}

async function go() {
  const [, id, step] = location.hash.match(/^#(?:(.+?\.\d+)(?:\.|$))?(?:step-(\d+))?$/) ?? [];
  const episode = id ? document.getElementById(id) : step && document.querySelector(EPISODES);
  if (!episode?.matches(EPISODES)) return;
  episode.closest("details").open = true;
  const row = step ? (await rows(episode)).children[step - 1] : episode;
  if (!row) return;
  if (step) episode.list.hidden = !(row.lastChild.open = true);
  document.querySelector(".gb-here")?.classList.remove("gb-here");
  row.classList.add("gb-here");
  if (step && episode.dataset.text) await read(episode);
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
}

for (const name of document.querySelectorAll("[data-at] dt")) {
  const size = name.nextSibling;
  size.replaceChildren(make("a", size.textContent, { href: `${name.parentNode.dataset.at + name.textContent}.tar.zst` }));
}
for (const key of document.querySelectorAll("[data-kind]")) kinds[key.textContent] = key.dataset.kind;
document.querySelectorAll(EPISODES).forEach((episode) => {
  const { id, start, children } = episode.parentNode;
  episode.id ||= `${id}.${episode.getAttribute("value") ?? start + [...children].indexOf(episode)}`;
  dress(episode);
});
addEventListener("hashchange", go);
go();
