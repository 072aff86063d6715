/** One model's drawings in the arena, each with what the rival's scorer says of it. */

import { canvasGrid } from "../parts/canvas.js";
import { scoreWords } from "../parts/curve.js";
import { h } from "../parts/dom.js";
import { scoreText } from "./arena-statistics.js";

export function arenaSide() {
  const title = h("h2", {}, "");
  const judgeWords = h("p.hint", {}, "");
  const place = h("div", {});
  const element = h("div.arena-side", {}, title, judgeWords, place);
  let grid = null;
  let scores = [];
  let drawer = null;

  return {
    element,
    /** Makes room for n drawings. */
    begin({ model, judge, n }) {
      drawer = model;
      title.textContent = model.name;
      judgeWords.textContent = `judged by ${judge.name}'s ${judge.score_kind}`;
      scores = Array.from({ length: n }, () => h("span.arena-score.number", {}, ""));
      grid = canvasGrid({ image: model.image, n, name: (index) => `${model.name}, drawing ${index + 1}`, foot: (index) => scores[index] });
      grid.element.classList.add("arena-grid");
      place.replaceChildren(grid.element);
    },
    /** Shows a step: bitmaps and the rival's scores of them. */
    show(step, bitmaps, kind, values) {
      grid.canvases.forEach((canvas, index) => {
        canvas.show(bitmaps[index]);
        canvas.describe(`${drawer.name}, drawing ${index + 1}, step ${step}, ${scoreWords(kind, values[index])}`);
        scores[index].textContent = scoreText(kind, values[index]);
      });
    },
  };
}
