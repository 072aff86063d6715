/** A walk through the noise: a row of pictures from one place to another, and a slider along the way. */

import { pixelCanvas } from "../parts/canvas.js";
import { field, h } from "../parts/dom.js";
import { drawPlaces, latest, oneSet, pictureRow, replacing } from "./explore-draw.js";

const PICTURES = 9;
const FINE = 8; // places of the slider from a picture to the next
const LAST = (PICTURES - 1) * FINE;

/**
 * Fills a stage with a walk. It is begun by `begin(walk)`, and again whenever its ends change; `walk` has
 * `seed`, of all noise that is not interpolated; `noiseAt(way)`, a place for `drawPlaces`, `way` being 0 to 1; `from` and
 * `to`, its ends in words; and `caption`, what stands above it.
 *
 * @param {object} options
 * @param {object} options.context The tab's.
 * @param {object} options.model
 * @param {AbortSignal} options.signal
 * @param {HTMLElement} options.stage
 * @param {() => void} options.reveal Called when the first picture is there.
 * @param {HTMLElement[]} options.explained What stands beside the large picture.
 * @param {string | null} options.at Where the slider is at first, as an address has it.
 * @param {(at: number) => void} options.onMove The slider's place, for the address.
 * @param {() => void} options.again Asks for all anew, after a failure.
 */
export function walkStage({ context, model, signal, stage, reveal, explained, at: first, onMove, again }) {
  const slider = h("input", { type: "range", min: 0, max: LAST, step: 1, value: LAST / 2 });
  const words = h("output", {}, "");
  const row = pictureRow(model.image, PICTURES, (index) => go(index * FINE));
  const large = pixelCanvas(model.image, "The picture at the slider");
  const caption = h("h2", {}, model.name);
  const facts = h("p.hint.number.explore-facts", {}, "");
  const run = oneSet(context, signal, facts);
  const ask = latest(draw, signal, (error) => context.fail(error, again));
  let walk = null; // what was begun last, with `seen`: bitmaps by place

  stage.append(
    h(
      "section.panel",
      { "aria-label": "From one to the other" },
      h("div.explore-head", {}, caption, facts),
      row.element,
      h("div.explore-slider", {}, field("Along the way", slider, words)),
      h("div.explore-beside", {}, h("div.explore-large", {}, large.element), h("div.explore-words", {}, ...explained)),
    ),
  );
  slider.oninput = () => go(Number(slider.value));
  if (/^[0-9]{1,2}$/.test(first ?? "")) slider.value = first;

  function begin(next) {
    const mine = (walk = { ...next, seen: new Map() });
    go(Number(slider.value));
    const places = row.canvases.map((_, index) => mine.noiseAt((index * FINE) / LAST));
    const begun = () => {
      caption.textContent = mine.caption;
      row.canvases.forEach((canvas, index) => canvas.describe(`Picture ${index + 1} of ${PICTURES}, ${place(index * FINE)}`));
      reveal();
    };
    const show = (index, bitmap) => {
      row.canvases[index].show(bitmap);
      if (bitmap) mine.seen.set(index * FINE, bitmap);
      if (Number(slider.value) === index * FINE) showLarge(index * FINE, bitmap);
    };
    const { onPicture, leave } = replacing(PICTURES, begun, show);
    run(
      `${PICTURES} pictures`,
      (ended) => drawPlaces(context, model, places, { seed: mine.seed, signal: ended, onPicture }),
      leave,
      again,
    );
  }

  /** Moves to a place of the slider. What is not drawn there yet is asked for; the row's own pictures come anyhow. */
  function go(at) {
    slider.value = at;
    words.textContent = `${Math.round((100 * at) / LAST)} %`;
    row.mark(at % FINE === 0 ? at / FINE : null);
    if (!walk) return;
    slider.setAttribute("aria-valuetext", place(at));
    onMove(at);
    if (walk.seen.has(at)) showLarge(at, walk.seen.get(at));
    else if (at % FINE) ask({ at, walk });
  }

  function showLarge(at, bitmap) {
    large.show(bitmap);
    large.describe(`The picture ${place(at)}`);
  }

  async function draw(wanted, stale) {
    const { at } = wanted;
    if (wanted.walk !== walk) return;
    await drawPlaces(context, model, [walk.noiseAt(at / LAST)], {
      seed: walk.seed,
      signal: stale,
      onPicture(_, bitmap) {
        wanted.walk.seen.set(at, bitmap);
        // Where the slider is by now may be drawn already; if it is not, this is nearer than what is shown.
        const now = Number(slider.value);
        if (wanted.walk === walk && (now === at || !walk.seen.has(now))) showLarge(at, bitmap);
      },
    });
  }

  function place(at) {
    if (at === 0) return `at ${walk.from}`;
    if (at === LAST) return `at ${walk.to}`;
    return `${Math.round((100 * at) / LAST)} % of the way from ${walk.from} to ${walk.to}`;
  }

  return { begin };
}

/** Why a walk through noise of many numbers is no straight line; false where there is nothing to say. */
export function arcHint(arc) {
  return (
    arc &&
    h(
      "p.hint",
      {},
      "The way is an arc, not a straight line: noise of many numbers is always about equally long, and the middle of a " +
        "straight line would be shorter than anything that the model has learnt from.",
    )
  );
}
