/** One judge's scores of both models' canvases, step by step: means as lines, one standard deviation as bands. */

import { scoreRange } from "../parts/curve.js";
import { h, s } from "../parts/dom.js";
import { moments, scoreText, spreadText } from "./arena-statistics.js";

const WIDTH = 300;
const HEIGHT = 120;
const EDGE = 4; // so that a line at the limit keeps its thickness

export function judgeChart() {
  const title = h("h2", {}, "");
  const verdict = h("p.arena-verdict", {}, "");
  const [top, bottom] = [h("span.arena-top.number", {}, ""), h("span.arena-bottom.number", {}, "")];
  const bands = ["a", "b"].map((side) => s(`path.arena-band.arena-${side}`));
  const lines = ["a", "b"].map((side) => s(`path.arena-line.arena-${side}`));
  const data = s("path.arena-data");
  const mark = s("path.arena-mark");
  const picture = s(
    "svg.arena-picture",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "No scores yet" },
    s("path.arena-axis", { d: `M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    mark,
    ...bands,
    data,
    ...lines,
  );
  const axes = h("p.hint.arena-axes", {}, "");
  const names = [h("span", {}, ""), h("span", {}, "")];
  const dataKey = h("span.arena-key.arena-data-key", {}, "ten test digits");
  const keys = h(
    "p.hint.arena-keys",
    { "aria-hidden": "true" }, // the picture's label says the same
    ...names.map((name, index) => h(`span.arena-key.arena-${"ab"[index]}`, {}, name)),
    dataKey,
  );
  const element = h("section.panel.arena-judge", { "aria-label": "A judge" }, title, verdict, h("div.arena-frame", {}, top, bottom, picture), axes, keys);

  let judge = null;
  let models = [];
  let steps = 1;
  let shown = null;

  const x = (step) => (steps === 1 ? EDGE : EDGE + ((step - 1) / (steps - 1)) * (WIDTH - 2 * EDGE));

  function begin(next) {
    ({ judge, models, steps } = next);
    title.textContent = `${judge.name}'s ${judge.score_kind} judges`;
    element.setAttribute("aria-label", title.textContent);
    names.forEach((name, index) => (name.textContent = models[index].name));
    const upwards = judge.score_kind === "discriminator" ? "how probable it is that a picture is real" : "this critic's score, which has no unit: more is more real";
    axes.textContent = `Upwards ${upwards}${steps > 1 ? `; to the right steps 1 to ${steps}` : ""}.`;
    verdict.textContent = top.textContent = bottom.textContent = "";
    for (const path of [...bands, ...lines, data, mark]) path.removeAttribute("d");
    picture.setAttribute("aria-label", "No scores yet");
    dataKey.hidden = true;
    shown = null;
  }

  /**
   * @param {number[][][]} scores Of each model, of each of its steps so far, of each drawing.
   * @param {number[] | null} digits Scores of real digits.
   */
  function set(scores, digits) {
    const found = scores.map((model) => model.map(moments));
    const real = digits && moments(digits);
    const reach = found.flat().flatMap(({ mean, deviation }) => [mean - deviation, mean + deviation]);
    const [low, high] = scoreRange(judge.score_kind, real ? [...reach, real.mean] : reach);
    const y = (value) => {
      const part = Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
      return (HEIGHT - EDGE - part * (HEIGHT - 2 * EDGE)).toFixed(1);
    };
    top.textContent = scoreText(judge.score_kind, high);
    bottom.textContent = scoreText(judge.score_kind, low);
    found.forEach((model, side) => {
      const at = (read) => places(model, models[side].steps.default).map(([step, value]) => `${step.toFixed(1)} ${y(read(value))}`);
      const middle = at(({ mean }) => mean);
      if (!middle.length) return;
      lines[side].setAttribute("d", `M${middle.join("L")}`);
      const edge = [...at(({ mean, deviation }) => mean + deviation), ...at(({ mean, deviation }) => mean - deviation).reverse()];
      bands[side].setAttribute("d", `M${edge.join("L")}Z`);
    });
    dataKey.hidden = !real;
    if (real) data.setAttribute("d", `M0 ${y(real.mean)}H${WIDTH}`);
    else data.removeAttribute("d");
    const words = found.map((model, side) => `${models[side].name} ${model.map((value) => spreadText(judge.score_kind, value)).join(", ")}`);
    if (real) words.push(`ten test digits ${spreadText(judge.score_kind, real)}`);
    picture.setAttribute("aria-label", `Mean and standard deviation by step: ${words.join("; ")}`);
    if (shown) markStep(shown);
  }

  /** Where the steps of a model stand; drawings that are finished before the other's stay as they are. */
  function places(found, own) {
    const at = found.map((value, index) => [x(index + 1), value]);
    if (found.length === own && own < steps) at.push([x(steps), found.at(-1)]);
    if (steps === 1) at.push([WIDTH - EDGE, found[0]]);
    return at.filter(([, { mean }]) => Number.isFinite(mean));
  }

  function markStep(step) {
    shown = step;
    if (steps > 1) mark.setAttribute("d", `M${x(step).toFixed(1)} 0V${HEIGHT}`);
  }

  return {
    element,
    begin,
    set,
    mark: markStep,
    /** What it comes to, in a sentence. */
    conclude(text) {
      verdict.textContent = text;
    },
  };
}
