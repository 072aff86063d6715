/** One canvas of a drawing, large, beside all its steps, and what they did to it. */

import { boxOverlay, boxesOf } from "../parts/boxes.js";
import { pixelCanvas } from "../parts/canvas.js";
import { h } from "../parts/dom.js";
import { stepChart } from "../parts/step-chart.js";

const SHAPE = 1.45; // columns for each row, as near as can be: the large canvas is as high as all rows

/** @param {(step: number) => void} onStep Told which step was pressed. */
export function openedCanvas(onStep) {
  const title = h("h3", {}, "");
  const said = h("p.hint.number.opened-said", {}, "");
  const place = h("div.opened", {});
  const element = h("section.panel", { "aria-label": "One canvas, every step" }, h("div.opened-head", {}, title, said), place);
  let large = null;
  let overlay = null;
  let cells = [];
  let chart = null;

  return {
    element,
    get chart() {
      return chart;
    },
    /** Makes room for the steps of a drawing. */
    begin({ model, steps, judge }) {
      const { image } = model;
      const boxes = boxesOf(model);
      large = pixelCanvas(image, "Large");
      overlay = boxes.length ? boxOverlay(image, boxes) : null;
      cells = Array.from({ length: steps }, (_, index) => stepCell(image, index + 1, onStep));
      chart = stepChart({ steps, scored: Boolean(judge), judge: judge?.axis });
      const list = h("ol.opened-steps", { role: "list", "aria-label": "Film strip" }, ...cells.map((cell) => cell.element));
      const columns = columnsFor(steps);
      place.style.setProperty("--wide", String(columns));
      place.style.setProperty("--wide-fr", `${columns}fr`);
      place.style.setProperty("--rows-fr", `${Math.ceil(steps / columns)}fr`);
      place.style.setProperty("--narrow", String(steps < 4 ? steps : Math.ceil(Math.sqrt(1.3 * steps))));
      place.replaceChildren(h("div.opened-large.boxed", {}, large.element, overlay?.element), list, chart.element);
      title.textContent = said.textContent = "";
    },
    name(text) {
      title.textContent = text;
    },
    /** What a cell shows, and in words. */
    set(step, picture, words) {
      cells[step - 1].canvas.show(picture);
      cells[step - 1].canvas.describe(words);
    },
    /** Shows a step large. */
    show(step, picture, { outputs, index, words, facts }) {
      large.show(picture);
      large.describe(words);
      overlay?.show(outputs, index);
      said.textContent = facts;
      cells.forEach((cell, at) => cell.mark(at + 1 === step));
      chart.mark(step);
    },
  };
}

function stepCell(image, step, onStep) {
  const canvas = pixelCanvas(image, `Step ${step}`);
  const button = h("button.cell-button", { type: "button", "aria-pressed": "false", onclick: () => onStep(step) }, canvas.element);
  const element = h("li.opened-step", {}, button, h("span.opened-number.number", { "aria-hidden": "true" }, String(step)));
  return {
    canvas,
    element,
    mark(shown) {
      button.setAttribute("aria-pressed", String(shown));
      element.toggleAttribute("data-shown", shown);
    },
  };
}

/** How many columns of steps go best beside the large canvas: of that shape, and with few holes. */
function columnsFor(count) {
  const cost = (columns) => {
    const rows = Math.ceil(count / columns);
    return Math.abs(Math.log(columns / rows / SHAPE)) + (columns * rows) / count;
  };
  const all = Array.from({ length: count }, (_, index) => index + 1);
  return all.reduce((best, columns) => (cost(columns) < cost(best) ? columns : best));
}
