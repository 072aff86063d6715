/** A score over the steps of a drawing, as a small curve with a mark at the step that is shown. */

import { s } from "./dom.js";

const WIDTH = 100;
const HEIGHT = 32;
const EDGE = 4; // so that a line at the limit keeps its thickness

/**
 * @param {object} options
 * @param {number} options.steps
 * @param {[number, number]} options.range Of the values: [0, 1] for probabilities.
 * @param {boolean} [options.cells] Whether step t is the middle of the t-th of `steps` cells, as in a film strip,
 *   instead of the first step being at the left edge and the last at the right.
 */
export function scoreCurve({ steps, range, cells = false }) {
  const real = s("path.curve-real");
  const line = s("path.curve-line");
  const mark = s("path.curve-mark");
  const element = s(
    "svg.curve",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "No score yet" },
    s("path.curve-base", { d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    real,
    line,
    mark,
  );
  let values = [];
  let limits = range;
  let shown = null;
  let level = null; // of real images

  const x = (step) => {
    if (cells) return ((step - 0.5) / steps) * WIDTH;
    return steps === 1 ? WIDTH / 2 : EDGE + ((step - 1) / (steps - 1)) * (WIDTH - 2 * EDGE);
  };
  const y = (value) => {
    const span = limits[1] - limits[0] || 1;
    const part = Math.min(1, Math.max(0, (value - limits[0]) / span));
    return HEIGHT - EDGE - part * (HEIGHT - 2 * EDGE);
  };
  const at = (step) => `${x(step).toFixed(2)} ${y(values[step - 1]).toFixed(2)}`;
  const known = (step) => Number.isFinite(values[step - 1]);

  function paint() {
    const points = values.map((_, index) => index + 1).filter(known);
    line.setAttribute("d", points.map((step, index) => `${index ? "L" : "M"}${at(step)}`).join(""));
    real.setAttribute("d", Number.isFinite(level) ? `M0 ${y(level).toFixed(2)}H${WIDTH}` : "");
    // A line of no length with round ends is a dot, however the picture is stretched.
    mark.setAttribute("d", shown !== null && known(shown) ? `M${at(shown)}h0` : "");
  }

  return {
    element,
    /** One value a step; what is not known yet may be missing. `ofReal` is what real images get; null: not known. */
    set(scores, newRange = limits, ofReal = level) {
      values = scores;
      limits = newRange;
      level = ofReal;
      paint();
    },
    /** Marks a step, from 1; null marks none. */
    mark(step) {
      shown = step;
      paint();
    },
    describe(text) {
      element.setAttribute("aria-label", text);
    },
  };
}

/** The range in which curves of one scorer are drawn: probabilities have their own, a critic's is its values'. */
export function scoreRange(kind, values) {
  if (kind === "discriminator") return [0, 1];
  const known = values.filter(Number.isFinite);
  if (!known.length) return [-1, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const margin = (high - low || 1) * 0.1;
  return [low - margin, high + margin];
}

/** A score in words: "87 % real" of a discriminator, "critic 3.21" of a critic. */
export function scoreWords(kind, value) {
  if (!Number.isFinite(value)) return "no score";
  return kind === "discriminator" ? `${Math.round(value * 100)} % real` : `critic ${value.toFixed(2)}`;
}
