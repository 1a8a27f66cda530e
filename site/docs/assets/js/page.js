/* What our pages share: markup whose values are escaped, figures as the site prints them, the scores, a form's query. */

const escaped = (value) => String(value ?? "").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt()};`);
const inside = (value) => (Array.isArray(value) ? value.map(inside).join("") : value?.html ?? escaped(value));

/* h`<p>${value}</p>`: what comes out of h stays markup, whatever else stands in it is text. */
export const h = (parts, ...values) => ({ html: parts.reduce((all, part, at) => all + inside(values[at - 1]) + part) });
export const num = (value, digits = 3) => (value === value ? value.toFixed(digits).replace("-", "−") : "–");
export const signed = (value) => (value > 0 ? "+" : "") + num(value);
export const usd = (value) => (value === value ? "$" + value.toFixed(value > 0 && value < 0.1 ? 4 : 2) : "N/A");
export const link = ({ id, label }) => (id === "baseline" ? label : h`<a class="gb-name" href="entries/${id}.html"><bdi>${label}</bdi></a>`);
export const right = (value) => h`<td class="gb-num">${value}</td>`;

export async function read(name) {
  const answer = await fetch(new URL(`../${name}`, import.meta.url));
  if (!answer.ok) throw Error(`${name}: ${answer.status}`);
  return JSON.parse(await answer.text(), (_, value) => value ?? NaN);
}

/* Calls `start` for each element, also after the theme has changed the page. */
export function onEach(selector, start) {
  const begin = () => document.querySelectorAll(selector).forEach((found) => {
    if (!found.hidden) return;
    found.hidden = false;
    start(found);
  });
  if (globalThis.document$) document$.subscribe(begin);
  else begin();
}

export async function scores(said) {
  try {
    return (await read("scores.json")).boards;
  } catch (error) {
    said.textContent = `The scores could not be read (${error.message}).`;
    return [];
  }
}

/* A form's state is its query: only what differs from how the page came. */
export function restore(form) {
  const asked = new URLSearchParams(location.search);
  for (const one of form.elements) {
    const given = asked.getAll(one.name);
    if (one.type === "checkbox") one.checked = given.includes(one.value);
    else if (given.length) one.value = given[0];
    if (!one.value && one.options) one.selectedIndex = 0;
  }
}

export function changed(form) {
  const differs = (one) => (one.type === "checkbox" ? one.checked : one.value !== (one.options ? one.options[0].value : one.defaultValue));
  return new URLSearchParams([...form.elements].filter((one) => one.name && !one.matches(":disabled") && differs(one)).map((one) => [one.name, one.value]));
}

export const keep = (words) => history.replaceState(null, "", `?${words}${location.hash}`);
