/** Drawing chosen places of a model's noise, and the row of pictures that several ways of exploring show. */

import { decode, pixelCanvas } from "../parts/canvas.js";
import { h } from "../parts/dom.js";
import { nested } from "./explore-noise.js";

const MOST = 24; // pictures in a request: a server may be set to allow few
const PATIENCE_MS = 1500;

/** Noise that a picture has once, and not anew at every call. */
export const perDrawing = (model) => model.latents.filter((latent) => latent.per === "drawing");

/** What noise that is drawn at every call is called in a sentence's beginning. */
export const callNoise = (latents) => `The noise of each call (${latents.map(({ name }) => name).join(", ")})`;

/** The model's only noise of a whole picture, if that is two normal numbers; else null. */
export function plane(model) {
  const [latent, ...more] = perDrawing(model);
  const flat = latent && !more.length && latent.prior === "normal" && latent.shape.length === 1 && latent.shape[0] === 2;
  return flat ? latent : null;
}

/**
 * Draws pictures, each from noise of its own; only the last canvas counts.
 *
 * Noise that is given for no picture comes from its seed, and from its place in the request besides. So pictures that
 * shall have it in common are asked for one by one, which the server draws together anyhow.
 *
 * @param {object} context The tab's.
 * @param {object} model
 * @param {Array<{ latents?: Record<string, Float32Array>, seeds?: Record<string, number>, label?: number | null }>} places
 * @param {object} options
 * @param {number} options.seed Of all other noise.
 * @param {AbortSignal} options.signal
 * @param {(index: number, bitmap: ImageBitmap) => void} options.onPicture
 * @param {boolean} [options.together] Several in a request in any case: each has then other noise of its own.
 */
export async function drawPlaces(context, model, places, { seed, signal, onPicture, together = false }) {
  const failed = new AbortController(); // one that fails ends the others
  const whole = model.latents.every(({ name }) => places.every(({ latents }) => latents?.[name]));
  const size = whole || together ? MOST : 1;
  const parts = Array.from({ length: Math.ceil(places.length / size) }, (_, index) => index * size);
  const asked = (start, count) => ({ ...requestOf(model, places.slice(start, start + count)), seed });
  context.asked?.(asked(0, 1)); // of the last that was drawn, one picture
  const ask = async (start) => {
    const request = asked(start, size);
    const { frames } = await context.client.generate(request, { signal: AbortSignal.any([signal, failed.signal]) });
    const bitmaps = await Promise.all(frames.at(-1).images.map(decode));
    if (!signal.aborted) bitmaps.forEach((bitmap, index) => onPicture(start + index, bitmap));
  };
  try {
    await Promise.all(parts.map(ask));
  } catch (error) {
    failed.abort();
    throw error;
  }
}

function requestOf(model, places) {
  const given = model.latents.filter(({ name }) => places[0].latents?.[name]);
  const rows = ({ name, shape }) => places.map(({ latents }) => nested(latents[name], wholeShape(latents[name], shape)));
  return {
    model: model.name,
    n: places.length,
    // Canvases on the way are not shown here. Row by row they are only shown; over itself, they make the picture.
    steps: model.completion === "raster" ? model.steps.min : model.steps.default,
    ...(given.length ? { latents: Object.fromEntries(given.map((latent) => [latent.name, rows(latent)])) } : {}),
    ...(places[0].seeds ? { seeds: places[0].seeds } : {}),
    ...(model.labels ? { labels: places.map(({ label }) => label ?? 0) } : {}),
  };
}

/** The shape that all of a drawing's noise has in a request: of one kind that comes at every call, the calls come first. */
function wholeShape(numbers, shape) {
  const calls = numbers.length / shape.reduce((product, side) => product * side, 1);
  return calls > 1 ? [calls, ...shape] : shape;
}

/**
 * One request at a time, and the last that was asked for wins: what a pointer passes meanwhile is left out.
 *
 * One under way is let finish, so that a slow network shows something on the way, but not one that takes too long.
 *
 * @param {(item: T, signal: AbortSignal) => Promise<void>} run
 * @param {AbortSignal} signal Ends it.
 * @param {(error: Error) => void} fail
 * @returns {(item: T) => void}
 * @template T
 */
export function latest(run, signal, fail) {
  let waiting = []; // none or one
  let under = null; // way: { ended, since }

  async function next() {
    const item = waiting.pop();
    under = { ended: new AbortController(), since: performance.now() };
    try {
      await run(item, AbortSignal.any([signal, under.ended.signal]));
    } catch (error) {
      const stale = signal.aborted || under.ended.signal.aborted;
      if (!stale && !waiting.length) fail(error);
    }
    under = null;
    if (waiting.length && !signal.aborted) next();
  }

  function ask(item) {
    waiting = [item];
    if (!under) next();
    else if (performance.now() - under.since > PATIENCE_MS) under.ended.abort();
  }
  return ask;
}

/**
 * One set of pictures at a time: a new one ends the one before. What becomes of it stands in `facts`.
 *
 * @param {object} context The tab's.
 * @param {AbortSignal} signal Ends it.
 * @param {HTMLElement} facts
 * @returns {(what: string, draw: (signal: AbortSignal) => Promise<void>, leave?: () => void, again?: () => void) =>
 *   Promise<void>} `what` is drawn, in words; `leave` is called when no more of it comes, though not all of it came;
 *   `again` asks anew, for more than this set where more was asked for.
 */
export function oneSet(context, signal, facts) {
  let running = null; // its AbortController
  let missing = null; // draws again what did not come
  context.connection.addEventListener("back", () => missing?.(), { signal });

  return async function run(what, draw, leave = () => {}, again = () => run(what, draw, leave)) {
    running?.abort();
    const mine = (running = new AbortController());
    const began = performance.now();
    missing = null;
    context.clear();
    facts.textContent = "Asking …";
    try {
      await draw(AbortSignal.any([signal, mine.signal]));
      facts.textContent = `${what}, here after ${Math.round(performance.now() - began)} ms`;
      context.say(`${what} drawn`);
    } catch (error) {
      if (mine.signal.aborted || signal.aborted) return;
      facts.textContent = "Not finished";
      leave();
      missing = again;
      context.fail(error, missing);
    }
  };
}

/**
 * A set of pictures that takes the place of another, which stays until the first of the new ones is here. They come one
 * by one, each over the one before it; if not all of them come, the places of the others are empty in the end.
 *
 * @param {number} count
 * @param {() => void} begun Called before the first is shown: from then on it is this set.
 * @param {(index: number, bitmap: ImageBitmap | null) => void} show
 */
export function replacing(count, begun, show) {
  const here = new Set();
  return {
    onPicture(index, bitmap) {
      if (!here.size) begun();
      here.add(index);
      show(index, bitmap);
    },
    leave() {
      if (!here.size) return;
      for (let index = 0; index < count; index += 1) if (!here.has(index)) show(index, null);
    },
  };
}

/**
 * Pictures in a row, one of them chosen.
 *
 * @param {{ height: number, width: number }} image
 * @param {number} count
 * @param {(index: number) => void} onPick
 */
export function pictureRow(image, count, onPick) {
  const canvases = Array.from({ length: count }, (_, index) => pixelCanvas(image, `Picture ${index + 1}`));
  const buttons = canvases.map((canvas, index) =>
    h("button.cell-button", { type: "button", "aria-pressed": "false", onclick: () => onPick(index) }, canvas.element),
  );
  const element = h("ul.explore-row", { role: "list" }, ...buttons.map((button) => h("li", {}, button)));
  element.style.setProperty("--count", String(count));
  return {
    element,
    canvases,
    mark: (chosen) => buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === chosen))),
  };
}
