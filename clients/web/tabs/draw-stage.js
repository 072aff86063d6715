/** What a drawing looks like: its canvases with their curves, a scrubber over the steps, the strip of one of them. */

import { boxLegend, boxOverlay, boxWords, boxesOf } from "../parts/boxes.js";
import { canvasGrid, decode } from "../parts/canvas.js";
import { scoreCurve, scoreRange, scoreWords } from "../parts/curve.js";
import { h } from "../parts/dom.js";
import { pace, stepMs } from "../parts/pace.js";
import { scrubber } from "../parts/scrubber.js";
import { filmStrip } from "../parts/strip.js";

/**
 * @param {AbortSignal} signal Of the tab.
 * @param {Node} actions What can be done with the drawing, beside its caption.
 */
export function drawStage(signal, actions) {
  const caption = h("h2", {}, "");
  const facts = h("p.hint.number.draw-facts", {}, "");
  const gridPlace = h("div.draw-grid", {});
  const stripPlace = h("div", {});
  const stripTitle = h("h3", {}, "");
  const slider = scrubber({ onStep: show, signal });
  const stripPanel = h("section.panel", { "aria-label": "One canvas, every step" }, stripTitle, stripPlace);
  const element = h(
    "div.stage",
    {},
    h(
      "section.panel",
      { "aria-label": "The drawing" },
      h("div.draw-head", {}, caption, actions, facts),
      gridPlace,
      slider.element,
    ),
    stripPanel,
  );
  const legend = boxLegend(element);
  gridPlace.after(legend.element);

  let drawing = null; // what is shown: { model, n, steps, judge, labels, caption }
  let asked = null; // what is to take its place, as soon as something of it has come
  let before = ""; // the facts of what is shown, while something is asked for
  let frames = []; // { bitmaps, outputs, values, kind, elapsedUs } by step, from 0
  let revealed = 0; // steps that have been shown
  let selected = 0;
  let grid = null;
  let boxes = []; // kinds of boxes that the model draws through
  let overlays = [];
  let curves = [];
  let scores = [];
  let strip = null;
  let player = null;
  let decoding = Promise.resolve();

  const values = (index, upTo = frames.length) => frames.slice(0, upTo).map((frame) => frame.values?.[index]);
  const kind = () => frames[0]?.kind;
  const nameOf = (index) => {
    const label = drawing.labels?.[index];
    return `Canvas ${index + 1}${label === undefined ? "" : `, asked to be ${label}`}`;
  };

  /** A drawing is asked for. What is shown stays until its first frame is here, for that may never come. */
  function begin(next, drawingSignal) {
    if (!asked) before = facts.textContent;
    player = pace({ ms: stepMs(next.steps), show: reveal, signal: AbortSignal.any([signal, drawingSignal]) });
    decoding = Promise.resolve();
    if (frames.length) asked = next;
    else makeRoom(next);
    facts.textContent = "Asking …";
  }

  /** Makes room for a drawing: everything that will be there has its place from now on. */
  function makeRoom(next) {
    asked = null;
    for (const frame of frames) frame.bitmaps.forEach((bitmap) => bitmap.close());
    drawing = next;
    caption.textContent = drawing.caption;
    frames = [];
    revealed = 0;
    selected = Math.min(selected, drawing.n - 1);
    const { n, steps, model } = drawing;
    const { image } = model;
    curves = Array.from({ length: n }, () => (drawing.judge ? scoreCurve({ steps, range: [0, 1] }) : null));
    scores = curves.map((curve) => (curve ? h("span.draw-score.number", {}, "") : null));
    const foot = (index) => curves[index] && h("div.draw-foot", {}, curves[index].element, scores[index]);
    boxes = boxesOf(model);
    overlays = boxes.length ? Array.from({ length: n }, () => boxOverlay(image, boxes)) : [];
    legend.name(boxes);
    const over = (index) => overlays[index]?.element;
    grid = canvasGrid({ image, n, name: nameOf, foot, over, onSelect: select });
    grid.element.style.setProperty("--wide", String(columns(n, 6)));
    grid.element.style.setProperty("--narrow", String(columns(n, 3)));
    gridPlace.replaceChildren(grid.element);
    strip = filmStrip({ image, steps, scored: Boolean(drawing.judge), onStep: goTo });
    stripPlace.replaceChildren(strip.element);
    slider.begin(steps);
    slider.element.hidden = stripPanel.hidden = steps === 1; // nothing came before
    grid.select(selected);
  }

  /** A frame has come. */
  function add(frame) {
    const mine = player;
    decoding = decoding.then(async () => {
      const bitmaps = await Promise.all(frame.images.map(decode));
      if (mine !== player) return bitmaps.forEach((bitmap) => bitmap.close()); // another drawing has begun
      if (asked) makeRoom(asked);
      const { outputs, values, kind, elapsedUs } = frame;
      frames[frame.step - 1] = { bitmaps, outputs, values, kind, elapsedUs };
      player.push(frame.step);
    });
  }

  /** All frames have come. Resolves when the last is shown: to what can be said of the drawing, or null. */
  async function end() {
    const mine = player;
    await decoding;
    if (!(await mine.end()) || mine !== player) return null;
    return summary();
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
    const last = frames[revealed - 1];
    facts.textContent = `Step ${revealed} of ${drawing.steps} was there after ${ms(last.elapsedUs)}`;
    if (drawing.judge) {
      const range = scoreRange(kind(), frames.slice(0, revealed).flatMap((frame) => frame.values ?? []));
      curves.forEach((curve, index) => curve.set(values(index, revealed), range));
      strip.curve.set(values(selected, revealed), range);
    }
    fillStrip(step);
    slider.arrived(step);
    if (slider.step !== step) show(slider.step); // somebody looks at another step; the curves have grown
  }

  /** Shows a step on every canvas. */
  function show(step) {
    const frame = frames[step - 1];
    if (!frame || step > revealed) return;
    grid.canvases.forEach((canvas, index) => {
      canvas.show(frame.bitmaps[index]);
      const words = frame.values ? scoreWords(frame.kind, frame.values[index]) : "";
      overlays[index]?.show(frame.outputs, index);
      const seen = boxWords(boxes, frame.outputs, index);
      canvas.describe([`${nameOf(index)}, step ${step} of ${drawing.steps}`, words, seen].filter(Boolean).join(", "));
      if (!drawing.judge) return;
      scores[index].textContent = words;
      curves[index].mark(step);
      curves[index].describe(`Scores so far: ${values(index, revealed).map((v) => scoreWords(frame.kind, v)).join(", ")}`);
    });
    strip.mark(step);
  }

  function goTo(step) {
    if (step <= revealed) slider.go(step);
  }

  function fillStrip(step) {
    const frame = frames[step - 1];
    const value = frame.values?.[selected];
    const short = frame.values ? shortScore(frame.kind, value) : "";
    strip.set(step, frame.bitmaps[selected], frame.values ? scoreWords(frame.kind, value) : "", short);
  }

  function select(index) {
    selected = index;
    stripTitle.textContent = `${nameOf(index)}, step by step`;
    for (let step = 1; step <= revealed; step += 1) fillStrip(step);
    strip.curve?.set(values(index, revealed), kind() ? scoreRange(kind(), frames.flatMap((f) => f.values ?? [])) : [0, 1]);
  }

  function summary() {
    const last = frames.at(-1);
    const canvases = `${drawing.n} ${drawing.n === 1 ? "canvas" : "canvases"}`;
    const time = ms(last.elapsedUs);
    const judged = drawing.judge && last.kind === "discriminator" ? `; ${meanReal(last.values)} real on average` : "";
    const slower = drawing.steps > 1 ? ", shown slower" : "";
    facts.textContent = `${canvases} in ${time}${slower}${judged}`;
    return `${canvases} by ${drawing.model.name} finished in ${time}${judged}`;
  }

  return { element, begin, add, end, stop, caption, facts };
}

/** As many columns as fit, and the last row as full as can be. */
function columns(n, most) {
  return Math.ceil(n / Math.ceil(n / most));
}

function shortScore(kind, value) {
  if (!Number.isFinite(value)) return "–";
  return kind === "discriminator" ? `${Math.round(value * 100)} %` : value.toFixed(1);
}

function meanReal(values) {
  return `${Math.round((100 * values.reduce((sum, value) => sum + value, 0)) / values.length)} %`;
}

function ms(us) {
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}
