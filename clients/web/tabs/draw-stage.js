/** What a drawing looks like: its canvases with their curves, ways to look at them, a scrubber, one of them opened. */

import { boxLegend, boxOverlay, boxWords, boxesOf } from "../parts/boxes.js";
import { canvasGrid, decode } from "../parts/canvas.js";
import { scoreCurve, scoreRange, scoreWords } from "../parts/curve.js";
import { h } from "../parts/dom.js";
import { pace, stepMs } from "../parts/pace.js";
import { scrubber } from "../parts/scrubber.js";
import { percent } from "../parts/step-chart.js";
import { viewSwitch } from "../parts/views.js";
import { drawingFrames } from "./draw-frames.js";
import { stageKeys } from "./draw-keys.js";
import { openedCanvas } from "./draw-opened.js";
import { axisLimit, axisTitle, columns, curveLegend, ms, summaryOf } from "./draw-words.js";

const OTHERS = " · of other settings than those chosen now";

/**
 * @param {AbortSignal} signal Of the tab.
 * @param {Node} actions What can be done with the drawing, beside its caption.
 */
export function drawStage(signal, actions) {
  const caption = h("h2", {}, "");
  const facts = h("p.hint.number.draw-facts", {}, "");
  const gridPlace = h("div.draw-grid", {});
  const reading = h("p.hint.draw-reading", {}, "");
  const slider = scrubber({ onStep: show, signal });
  const views = viewSwitch(() => paintAll());
  const opened = openedCanvas(goTo);
  const panel = h(
    "section.panel",
    { "aria-label": "The drawing" },
    h("div.draw-head", {}, caption, actions, facts),
    views.element,
    gridPlace,
    slider.element,
    reading,
  );
  const element = h("div.stage", {}, panel, opened.element);
  const legend = boxLegend(element);
  reading.before(legend.element);
  stageKeys({ element, signal, press: views.press, move: (by) => goTo(slider.step + by) });

  let drawing = null; // what is shown: { model, n, steps, judge, labels, caption }
  let asked = null; // what is to take its place, as soon as something of it has come
  let before = ""; // the facts of what is shown, while something is asked for
  let frames = drawingFrames(1);
  let revealed = 0; // steps that have been shown
  let selected = 0;
  let pointed = null; // the canvas that shows its traces, because somebody points at it
  const reals = new Map(); // what judges say of real pictures, by their names: { mean, words }
  let grid = null;
  let boxes = []; // kinds of boxes that the model draws through
  let overlays = [];
  let curves = [];
  let scores = [];
  let player = null;
  let decoding = Promise.resolve();

  const kind = () => frames.at(1)?.kind;
  const nameOf = (index) => {
    const label = drawing.labels?.[index];
    return `Canvas ${index + 1}${label === undefined ? "" : `, asked to be ${label}`}`;
  };
  const viewOf = (index) => (index === pointed && views.name === "picture" && drawing.steps > 1 ? "traces" : views.name);

  /** A drawing is asked for. What is shown stays until its first frame is here, for that may never come. */
  function begin(next, drawingSignal) {
    if (!asked) before = facts.textContent;
    player = pace({ ms: stepMs(next.steps), show: reveal, signal: AbortSignal.any([signal, drawingSignal]) });
    decoding = Promise.resolve();
    if (frames.all.length) asked = next;
    else makeRoom(next);
    facts.textContent = "Asking …";
  }

  /** Makes room for a drawing: everything that will be there has its place from now on. */
  function makeRoom(next) {
    asked = null;
    frames.close();
    drawing = next;
    const { n, steps, model, judge } = drawing;
    caption.textContent = drawing.caption;
    frames = drawingFrames(steps);
    revealed = 0;
    pointed = null;
    selected = Math.min(selected, n - 1);
    makeGrid(model, n, steps);
    opened.begin({ model, steps, judge: judge && { axis: axisTitle(drawing) } });
    slider.begin(steps);
    views.begin(steps);
    views.element.hidden = slider.element.hidden = opened.element.hidden = steps === 1; // nothing came before
    reading.hidden = !judge;
    reading.textContent = judge ? curveLegend(drawing, reals.get(judge)) : "";
    grid.select(selected);
  }

  function makeGrid(model, n, steps) {
    const { image } = model;
    curves = Array.from({ length: n }, () => (drawing.judge ? scoreCurve({ steps, range: [0, 1] }) : null));
    scores = curves.map((curve) => (curve ? h("span.draw-score.number", {}, "") : null));
    const foot = (index) => curves[index] && h("div.draw-foot", {}, curves[index].element, scores[index]);
    boxes = boxesOf(model);
    overlays = boxes.length ? Array.from({ length: n }, () => boxOverlay(image, boxes)) : [];
    legend.name(boxes);
    const over = (index) => overlays[index]?.element;
    grid = canvasGrid({ image, n, name: nameOf, foot, over, onSelect: select, onPoint: point });
    grid.element.style.setProperty("--wide", String(columns(n, 6)));
    grid.element.style.setProperty("--narrow", String(columns(n, 3)));
    gridPlace.replaceChildren(grid.element);
  }

  /** A frame has come. */
  function add(frame) {
    const mine = player;
    decoding = decoding.then(async () => {
      const bitmaps = await Promise.all(frame.images.map(decode));
      if (mine !== player) return bitmaps.forEach((bitmap) => bitmap.close()); // another drawing has begun
      if (asked) makeRoom(asked);
      const { outputs, values, kind, elapsedUs } = frame;
      frames.add(frame.step, { bitmaps, outputs, values, kind, elapsedUs });
      player.push(frame.step);
    });
  }

  /** All frames have come. Resolves when the last is shown: to what can be said of the drawing, or null. */
  async function end() {
    const mine = player;
    await decoding;
    if (!(await mine.end()) || mine !== player) return null;
    const { shown, said } = summaryOf(drawing, frames.all.at(-1));
    facts.textContent = shown;
    return said;
  }

  /** No more will come of what was asked for. Resolves to whether what was there before is still shown, as it was. */
  async function stop() {
    const mine = player;
    await decoding; // of what came last
    if (mine !== player) return false; // something else is asked for by now
    const kept = asked !== null;
    asked = null;
    facts.textContent = kept ? before : "Not finished";
    return kept;
  }

  function reveal(step) {
    revealed = Math.max(revealed, step);
    facts.textContent = `Step ${revealed} of ${drawing.steps} was there after ${ms(frames.at(revealed).elapsedUs)}`;
    plot();
    if (drawing.steps > 1) paintStep(step);
    slider.arrived(step);
    if (slider.step !== step) show(slider.step); // somebody looks at another step; the curves have grown
  }

  /** The curves of the steps that have been shown, with what real pictures get. */
  function plot() {
    if (drawing.steps > 1) opened.chart.setChanges(Array.from({ length: revealed }, (_, index) => frames.balance(index + 1, selected)));
    if (!drawing.judge || !revealed) return;
    const real = reals.get(drawing.judge);
    const known = frames.all.slice(0, revealed).flatMap((frame) => frame.values ?? []);
    const range = scoreRange(kind(), real ? [...known, real.mean] : known);
    const level = real?.mean ?? null;
    curves.forEach((curve, index) => curve.set(frames.scores(index, revealed), range, level));
    reading.textContent = curveLegend(drawing, real, range);
    const words = (value) => axisLimit(kind(), value);
    opened.chart.setScores({ values: frames.scores(selected, revealed), range, real: level, words });
  }

  /** Shows a step on every canvas. */
  function show(step) {
    if (step > revealed || !frames.at(step)) return;
    grid.canvases.forEach((_, index) => paint(index, step));
    const { outputs } = frames.at(step);
    const picture = frames.look(views.name, step, selected);
    const { name, seen, facts: said } = wordsOf(step, selected);
    if (drawing.steps > 1) opened.show(step, picture, { outputs, index: selected, words: `${name}, large, ${seen}`, facts: said });
  }

  /** Paints a canvas of the grid, and says what it shows. */
  function paint(index, step) {
    const frame = frames.at(step);
    grid.canvases[index].show(frames.look(viewOf(index), step, index));
    const { name, seen } = wordsOf(step, index);
    grid.canvases[index].describe(seen ? `${name}, ${seen}` : name);
    overlays[index]?.show(frame.outputs, index);
    if (!drawing.judge) return;
    scores[index].textContent = frame.values ? scoreWords(frame.kind, frame.values[index]) : "";
    curves[index].mark(step);
    curves[index].describe(`Scores so far: ${frames.scores(index, revealed).map((v) => scoreWords(frame.kind, v)).join(", ")}`);
  }

  /** What a canvas shows at a step, for those who do not see it, and what the step did, for everybody. */
  function wordsOf(step, index) {
    const frame = frames.at(step);
    const score = frame.values ? scoreWords(frame.kind, frame.values[index]) : "";
    const { added, removed } = frames.balance(step, index);
    const did = `added ${percent(added)}, removed ${percent(removed)}`;
    const view = { change: did, settled: `half of it settled by step ${frames.settledBy(index)}` }[views.name] ?? "";
    const seen = [score, view, boxWords(boxes, frame.outputs, index)].filter(Boolean).join(", ");
    return { name: `${nameOf(index)}, step ${step} of ${drawing.steps}`, seen, facts: [`Step ${step}`, did, score].filter(Boolean).join(" · ") };
  }

  function paintStep(step) {
    const { seen } = wordsOf(step, selected);
    opened.set(step, frames.look(views.name, step, selected), seen ? `Step ${step}: ${seen}` : `Step ${step}`);
  }

  /** Paints everything anew: another way to look, or another canvas. */
  function paintAll() {
    for (let step = 1; step <= revealed && drawing.steps > 1; step += 1) paintStep(step);
    if (revealed) show(Math.min(slider.step, revealed));
  }

  function goTo(step) {
    if (step >= 1 && step <= revealed) slider.go(step);
  }

  function select(index) {
    selected = index;
    opened.name(`${nameOf(index)}, step by step`);
    if (revealed) plot();
    paintAll();
  }

  function point(index) {
    const left = pointed;
    pointed = index;
    for (const one of [left, index]) if (one !== null && revealed) paint(one, Math.min(slider.step, revealed));
  }

  /** What the judge of a drawing says of real pictures, whenever that is known. */
  function compare(judge, found) {
    reals.set(judge, found);
    if (drawing?.judge === judge && revealed) plot();
  }

  /** Says that what is shown is of other settings than the controls have. */
  function otherSettings() {
    if (!facts.textContent.endsWith(OTHERS)) facts.textContent += OTHERS;
  }

  const finished = () => frames.all.at(-1).bitmaps;
  return { element, begin, add, end, stop, compare, otherSettings, finished, caption, facts };
}
