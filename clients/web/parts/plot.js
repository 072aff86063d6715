/** A figure over the last seconds: a small area plot with its latest value in large. */

import { h, newId, s } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 72;

/**
 * @param {object} options
 * @param {string} options.title
 * @param {string} options.meaning In a sentence.
 * @param {string} [options.unit]
 * @param {number} options.seconds How far back it reaches.
 * @param {number} [options.least] The vertical scale reaches at least so far.
 * @param {(value: number) => string} [options.format]
 */
export function timePlot({ title, meaning, unit = "", seconds, least = 1, format = (value) => value.toFixed(1) }) {
  const id = newId("plot");
  const latest = h("span.plot-value.number", {}, "–");
  const top = h("span.plot-top.number", {}, "");
  const area = s("path.plot-area");
  const line = s("path.plot-line");
  const picture = s(
    "svg.plot-picture",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "No value yet" },
    s("path.plot-grid", { d: `M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    area,
    line,
  );
  const values = [];

  function paint(now) {
    const known = values.filter(({ value }) => value !== null).map(({ value }) => value);
    const high = nice(Math.max(least, ...known));
    const at = ({ time, value }) => {
      const x = WIDTH - ((now - time) / (1000 * seconds)) * WIDTH;
      return `${x.toFixed(1)} ${(HEIGHT - 1 - (value / high) * (HEIGHT - 4)).toFixed(1)}`;
    };
    const runs = [[]]; // a gap where there was no value
    for (const sample of values) {
      if (sample.value === null) runs.push([]);
      else runs.at(-1).push(at(sample));
    }
    const drawn = runs.filter((run) => run.length);
    line.setAttribute("d", drawn.map((run) => `M${run.join("L")}h0`).join(""));
    area.setAttribute("d", drawn.map((run) => `M${run[0].split(" ")[0]} ${HEIGHT}L${run.join("L")}V${HEIGHT}Z`).join(""));
    top.textContent = `${high}${unit && ` ${unit}`}`;
    latest.textContent = known.length ? format(known.at(-1)) : "–";
    const range = known.length ? `from ${format(Math.min(...known))} to ${format(Math.max(...known))} ${unit}` : "no value";
    picture.setAttribute("aria-label", `${title} in the last ${seconds} seconds: ${range}`);
  }

  return {
    element: h(
      "section.panel.plot",
      { "aria-labelledby": id },
      h("div.plot-head", {}, h("h2", { id }, title), h("p", {}, latest, unit && h("span.hint", {}, ` ${unit}`))),
      h("div.plot-frame", {}, top, picture),
      h("p.hint", {}, meaning),
    ),
    /** The next value; null: there was none in this interval. */
    push(value) {
      const now = performance.now();
      values.push({ time: now, value });
      while (now - values[0].time > 1000 * seconds) values.shift();
      paint(now);
    },
  };
}

/** The next number of 1, 2, 5, 10, 20, … so that the scale seldom changes. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((limit) => limit >= value);
}
