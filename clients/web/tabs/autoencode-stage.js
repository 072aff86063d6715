/** A picture as the model sees it, and beside it what the model makes of it, step by step. */

import { boxLegend, boxOverlay, boxWords } from "../parts/boxes.js";
import { canvasGrid, decode, pixelCanvas } from "../parts/canvas.js";
import { h } from "../parts/dom.js";
import { pace, stepMs } from "../parts/pace.js";
import { scrubber } from "../parts/scrubber.js";

/** @param {AbortSignal} signal Of the tab. */
export function redrawStage(signal) {
  const title = h("h2", {}, "");
  const facts = h("p.hint.number.redraw-facts", {}, "");
  const givenPlace = h("div", {});
  const gridPlace = h("div.redraw-grid", {});
  const slider = scrubber({ onStep: show, signal });
  const element = h(
    "section.panel",
    { "aria-label": "What the model makes of it" },
    h("div", {}, title, facts),
    h(
      "div.redraw-result",
      {},
      h("figure.redraw-given", {}, givenPlace, h("figcaption.hint", {}, "What the model sees")),
      gridPlace,
    ),
    slider.element,
  );
  const legend = boxLegend(element);
  slider.element.before(legend.element);

  let shape = ""; // of what there is room for
  let given = null;
  let grid = null;
  let overlays = [];
  let boxes = []; // kinds of boxes that the model draws through
  let frames = []; // { bitmaps, outputs } by step, from 0
  let steps = 0;
  let name = "";
  let player = null;
  let decoding = Promise.resolve();
  let asked = null; // what is to take the place of what is shown, as soon as something of it has come
  let before = ""; // the facts of what is shown, while something is asked for

  /** Room for so many canvases; those that are there stay, unless they have another shape. */
  function makeRoom(image, n, kinds = []) {
    const next = `${image.width}x${image.height} ${n} ${JSON.stringify(kinds)}`;
    if (next === shape) return;
    shape = next;
    given = pixelCanvas(image, "What the model sees");
    givenPlace.replaceChildren(given.element);
    boxes = kinds;
    overlays = boxes.length ? Array.from({ length: n }, () => boxOverlay(image, boxes)) : [];
    legend.name(boxes);
    const over = (index) => overlays[index]?.element;
    grid = canvasGrid({ image, n, name: (index) => `Canvas ${index + 1}`, over });
    gridPlace.replaceChildren(grid.element);
  }

  function forget() {
    for (const frame of frames) frame.bitmaps.forEach((bitmap) => bitmap.close());
    frames = [];
  }

  /**
   * A drawing of a picture is asked for: `what` is the name of its canvases. What is shown stays until its first frame
   * is here, for that may never come. Resolves when it is its turn.
   */
  function begin(next, drawingSignal) {
    if (!asked) before = facts.textContent;
    player = pace({ ms: stepMs(next.steps), show: reveal, signal: AbortSignal.any([signal, drawingSignal]) });
    decoding = Promise.resolve();
    const turn = new Promise((resolve) => (asked = { ...next, resolve }));
    if (!frames.length) turnTo(asked);
    facts.textContent = "Asking …";
    return turn;
  }

  function turnTo({ image, n, boxes: kinds, steps: count, what, caption, picture, resolve }) {
    asked = null;
    makeRoom(image, n, kinds);
    forget();
    steps = count;
    name = what;
    title.textContent = caption;
    slider.begin(steps);
    slider.element.hidden = steps === 1;
    given.show(picture);
    resolve();
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

  function add(frame) {
    const mine = player;
    decoding = decoding.then(async () => {
      const bitmaps = await Promise.all(frame.images.map(decode));
      if (mine !== player) return bitmaps.forEach((bitmap) => bitmap.close()); // another drawing has begun
      if (asked) turnTo(asked);
      frames[frame.step - 1] = { bitmaps, outputs: frame.outputs };
      player.push(frame.step);
    });
  }

  /** All frames have come. Resolves when the last is shown: to whether that was this drawing's. */
  async function end() {
    const mine = player;
    await decoding;
    return (await mine.end()) && mine === player;
  }

  function reveal(step) {
    facts.textContent = `Step ${step} of ${steps}`;
    slider.arrived(step);
  }

  function show(step) {
    const frame = frames[step - 1];
    if (!frame) return;
    grid.canvases.forEach((canvas, index) => {
      canvas.show(frame.bitmaps[index]);
      overlays[index]?.show(frame.outputs, index);
      const seen = boxWords(boxes, frame.outputs, index);
      canvas.describe(`${name} ${index + 1}${steps > 1 ? `, step ${step} of ${steps}` : ""}${seen && `, ${seen}`}`);
    });
  }

  return {
    element,
    facts,
    begin,
    add,
    end,
    stop,
    /** Resolves when all frames so far can be shown. */
    arrived: () => decoding,
    /** Shows what is given to the model. */
    showGiven(picture) {
      given.show(picture);
    },
    /** Nothing is given: no canvas shows anything. */
    blank(image, n, caption, words) {
      makeRoom(image, n);
      asked = null;
      player = null;
      forget();
      given.show(null);
      grid.canvases.forEach((canvas, index) => {
        canvas.show(null);
        canvas.describe(`Canvas ${index + 1}, empty`);
      });
      slider.begin(1);
      title.textContent = caption;
      facts.textContent = words;
    },
  };
}
