/** One drawing as a film strip: a cell a step, its score beneath it, the curve in line with the cells. */

import { pixelCanvas } from "./canvas.js";
import { scoreCurve } from "./curve.js";
import { h } from "./dom.js";

/**
 * @param {object} options
 * @param {{ height: number, width: number }} options.image
 * @param {number} options.steps
 * @param {boolean} [options.scored] Whether there is room for scores.
 * @param {(step: number) => void} [options.onStep] Makes the cells buttons that go to their step.
 */
export function filmStrip({ image, steps, scored = true, onStep = null }) {
  const curve = scored ? scoreCurve({ steps, range: [0, 1], cells: true }) : null;
  const cells = Array.from({ length: steps }, (_, index) => {
    const canvas = pixelCanvas(image, `Step ${index + 1}`);
    const score = h("span.strip-score.number", {}, "");
    const number = h("span.strip-step.number", {}, String(index + 1));
    const frame = onStep
      ? h("button.cell-button", { type: "button", "aria-pressed": "false", onclick: () => onStep(index + 1) }, canvas.element)
      : canvas.element;
    return { canvas, score, frame, element: h("li.strip-cell", {}, number, frame) };
  });
  const row = (selector, ...children) => h(selector, {}, ...children);
  const body = h(
    "div.strip-body",
    {},
    h("ol.strip-cells", { role: "list" }, ...cells.map((cell) => cell.element)),
    curve?.element,
    scored && row("div.strip-scores", ...cells.map((cell) => cell.score)),
  );
  body.style.setProperty("--steps", String(steps));
  const element = h("div.strip", { tabindex: "0", role: "group", "aria-label": "Film strip" }, body);

  /** Brings a cell into view, without moving the page. */
  function reveal(cell) {
    const left = cell.offsetLeft - element.offsetLeft;
    const right = left + cell.offsetWidth;
    if (left < element.scrollLeft || right > element.scrollLeft + element.clientWidth) {
      element.scrollLeft = left - (element.clientWidth - cell.offsetWidth) / 2;
    }
  }

  return {
    element,
    curve,
    /** Shows a step's canvas, and its score in a word. */
    set(step, bitmap, words = "", short = "") {
      const cell = cells[step - 1];
      cell.canvas.show(bitmap);
      cell.canvas.describe(words ? `Step ${step}: ${words}` : `Step ${step}`);
      cell.score.textContent = short;
    },
    /** Marks the step that is shown. */
    mark(step) {
      cells.forEach((cell, index) => {
        cell.element.toggleAttribute("data-shown", index + 1 === step);
        if (onStep) cell.frame.setAttribute("aria-pressed", String(index + 1 === step));
      });
      curve?.mark(step);
      reveal(cells[step - 1].element);
    },
  };
}
