/** One canvas over its steps: how real it seemed after each, and what each added and removed. Axes say what they are. */

import { scoreCurve } from "./curve.js";
import { h, s } from "./dom.js";

const SCALE = 100; // of the bars' picture, from top to bottom
const BAR = 0.56; // of a step's width
const LABELS = 16; // steps that are written below, at most

/**
 * @param {object} options
 * @param {number} options.steps
 * @param {boolean} options.scored Whether there are scores.
 * @param {string} options.judge What the upper axis measures, in a few words.
 */
export function stepChart({ steps, scored, judge }) {
  const curve = scored ? scoreCurve({ steps, range: [0, 1], cells: true }) : null;
  const scoreAxis = axis();
  const barAxis = axis();
  const [added, removed] = [s("path.bar-added"), s("path.bar-removed")];
  const zero = s("path.curve-base");
  const shade = s("rect.chart-shade", { y: 0, height: SCALE, width: 1, x: -1 });
  const bars = s(
    "svg.chart-bars",
    { viewBox: `0 0 ${steps} ${SCALE}`, preserveAspectRatio: "none", role: "img", "aria-label": "Nothing yet" },
    shade,
    zero,
    added,
    removed,
  );
  const every = Math.ceil(steps / LABELS);
  const numbers = Array.from({ length: steps }, (_, index) =>
    h("span.number", {}, index % every === 0 || index === steps - 1 ? String(index + 1) : ""),
  );
  const below = h("div.chart-steps", { "aria-hidden": "true" }, ...numbers);
  below.style.setProperty("--steps", String(steps));
  const key = (kind, text) => h("span.view-key", {}, h(`span.view-swatch.${kind}`, {}), text);
  const element = h(
    "div.chart",
    {},
    ...(curve ? [h("p.chart-title", {}, judge), scoreAxis.element, curve.element] : []),
    h("p.chart-title", {}, "What each step changed, in per cent of a white canvas", key("bar-key-added", "added"), key("bar-key-removed", "removed")),
    barAxis.element,
    bars,
    h("span.chart-unit", { "aria-hidden": "true" }, "step"),
    below,
  );
  curve?.element.classList.add("chart-curve");

  return {
    element,
    /**
     * @param {{ values: number[], range: [number, number], real: number | null, words: (value: number) => string }} scores
     */
    setScores({ values, range, real, words }) {
      curve.set(values, range, real);
      scoreAxis.set(words(range[1]), words(range[0]));
      curve.describe(`${judge}, by step: ${values.map(words).join(", ")}`);
    },
    /** @param {{ added: number, removed: number }[]} balances Of the steps so far, each in [0, 1]. */
    setChanges(balances) {
      const up = Math.max(0.001, ...balances.map((one) => one.added));
      const down = Math.max(0, ...balances.map((one) => one.removed));
      const middle = (up / (up + down)) * SCALE;
      const bar = (value, index) => {
        const left = (index + (1 - BAR) / 2).toFixed(3);
        return `M${left} ${middle.toFixed(2)}v${((value / (up + down)) * SCALE).toFixed(2)}h${BAR}V${middle.toFixed(2)}Z`;
      };
      zero.setAttribute("d", `M0 ${middle.toFixed(2)}H${steps}`);
      added.setAttribute("d", balances.map((one, index) => bar(-one.added, index)).join(""));
      removed.setAttribute("d", balances.map((one, index) => bar(one.removed, index)).join(""));
      barAxis.set(`+${percent(up)}`, down > 0 ? `−${percent(down)}` : "0 %");
      const said = balances.map((one, index) => `step ${index + 1} added ${percent(one.added)}, removed ${percent(one.removed)}`);
      bars.setAttribute("aria-label", `In per cent of a white canvas: ${said.join("; ")}`);
    },
    mark(step) {
      curve?.mark(step);
      shade.setAttribute("x", String(step - 1));
      numbers.forEach((number, index) => number.toggleAttribute("data-shown", index + 1 === step));
    },
  };
}

/** The two limits of an axis, at the left of its plot. */
function axis() {
  const [top, bottom] = [h("span", {}, ""), h("span", {}, "")];
  return {
    element: h("div.chart-axis.number", { "aria-hidden": "true" }, top, bottom),
    set(high, low) {
      top.textContent = high;
      bottom.textContent = low;
    },
  };
}

/** A share in per cent. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
