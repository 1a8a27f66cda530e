/* What our pages share: markup whose values are escaped, figures as the site prints them, the scores, the address. */

const escaped = (value) => (value || value === 0 ? String(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt()};`) : "");
const inside = (value) => (Array.isArray(value) ? value.map(inside).join("") : value?.html ?? escaped(value));

/* h`<p>${value}</p>`: what comes out of h stays markup, whatever else stands in it is text, and what is not there is nothing. */
export const h = (parts, ...values) => ({ html: parts.reduce((all, part, at) => all + inside(values[at - 1]) + part) });
export const num = (value, digits = 3) => (Number.isFinite(value) ? value.toFixed(digits).replace(/^-(?=.*[1-9])/, "−").replace("-", "") : "–");
export const signed = (value, digits) => {
  const text = num(value, digits);
  return /^[0.–]+$/.test(text) || value < 0 ? text : "+" + text;
};
export const usd = (value) => (value === value ? "$" + value.toFixed(value > 0 && value < 0.1 ? 4 : 2) : "N/A");
export const link = ({ id, label }) => (id === "baseline" ? label : h`<a class="gb-name" href="entries/${id}.html"><bdi>${label}</bdi></a>`);
export const keep = (words) => history.replaceState(null, "", `?${words}${location.hash}`);

/* The address of one of our own assets, whatever page asks. */
const here = document.currentScript?.src;
export const asset = (name) => new URL(name, here);

/* JSON of our own assets, packed or not, null as NaN. */
export async function load(name) {
  const answer = await fetch(asset(name));
  const text = name.endsWith("gzip") ? new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))) : answer;
  return JSON.parse(await text.text(), (_, value) => value ?? NaN);
}

export const scores = (said) => load("scores.json").then(({ boards }) => boards, (error) => {
  said.textContent = `The scores could not be read: ${error.message}`;
  return [];
});

/* From the disk nothing may be fetched: what needs data stays away. */
export const onDisk = location.protocol === "file:";

/* Does it now, our script being the last thing of a page, and again with what the theme adds. */
export function onPage(begin) {
  begin();
  addEventListener("DOMContentLoaded", begin);
}

/* Calls `start` for each hidden element of that kind and shows it; from the disk it goes. */
export function onEach(selector, start) {
  onPage(() => document.querySelectorAll(`${selector}[hidden]`).forEach((found) => (onDisk ? found.remove() : start(found, (found.hidden = false)))));
}
