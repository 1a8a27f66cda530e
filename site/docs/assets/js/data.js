/* A ranking's file (scoring/publish/rows.py says what is in it) as plain columns: {id: [...], label: [...], aup: [...]}.
   AUPs stay in thousandths; the ends of intervals become values of their own. Throws when the file cannot be had. */
export async function board(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const { plain, delta, words, ...facts } = await answer.json();
  const add = (values, to, sign) => values.map((value, at) => (value === null ? null : to[at] + sign * value));
  for (const name in delta) {
    let sum = 0;
    plain[name] = delta[name].map((step) => (step === null ? null : (sum += step)));
  }
  for (const name of ["rank", "aup"]) {
    plain[`${name}_low`] = add(plain[`${name}_low`], plain[name], -1);
    plain[`${name}_high`] = add(plain[`${name}_high`], plain[name], 1);
  }
  for (const name in words) plain[name] = words[name][1].map((place) => words[name][0][place]);
  return { ...facts, columns: plain };
}
