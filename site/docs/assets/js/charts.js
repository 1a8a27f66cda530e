/* What a reader can ask a chart: the best under a budget, the cheapest above an AUP; or the chart itself, alive. The
   picture that the page came with stays; Vega is fetched, from our own origin, only when somebody asks. */

import { asset, h, keep, num, onEach, usd } from "./page.js";

onEach(".gb-readout", (box) => {
  const points = JSON.parse(box.dataset.frontier); // [label, cost, aup, place in the drawing or null], by cost
  for (const input of box.querySelectorAll("input")) {
    const budget = input.name === "budget";
    const show = () => {
      const value = budget ? +(10 ** input.value).toPrecision(2) : +input.value;
      const fits = points.filter(([, cost, aup]) => (budget ? cost <= value : aup >= value));
      const best = fits.at(budget ? -1 : 0);
      input.ariaValueText = budget ? usd(value) : num(value);
      input.parentElement.nextElementSibling.innerHTML = h`${input.ariaValueText}: <b><bdi>${best ? best[0] : "nobody"}</bdi></b>${best ? `, ${usd(best[1])}, AUP ${num(best[2])}` : ""}`.html;
      for (const drawing of box.parentElement.querySelectorAll("svg")) {
        drawing.querySelector(`.gb-${input.name}`)?.classList.remove(`gb-${input.name}`);
        [...drawing.querySelectorAll(".mark-symbol")].at(-1).children[best?.[3]]?.classList.add(`gb-${input.name}`);
      }
      return value;
    };
    const words = new URLSearchParams(location.search);
    const given = parseFloat(words.get(input.name));
    if (given > 0) input.value = budget ? Math.log10(given) : given;
    show();
    input.addEventListener("input", () => {
      const words = new URLSearchParams(location.search);
      words.set(input.name, show());
      keep(words);
    });
  }
});

onEach("[data-spec]", (box) => box.addEventListener("toggle", async () => {
  const said = box.querySelector("div");
  if (said.firstElementChild) return;
  said.textContent = "Loading";
  await import(asset("vega/vega.js"));
  const spec = await (await fetch(box.dataset.spec)).json();
  await vegaEmbed(said, spec, { ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } });
}, { once: true }));
