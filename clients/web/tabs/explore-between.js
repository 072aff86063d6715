/** Between two seeds: a row of pictures from one to the other, and a slider along the way. */

import { pixelCanvas } from "../parts/canvas.js";
import { field, h } from "../parts/dom.js";
import { classField, seedControls } from "./explore-controls.js";
import { callNoise, drawPlaces, latest, oneSet, perDrawing, pictureRow, replacing } from "./explore-draw.js";
import { between, noiseOf } from "./explore-noise.js";

const PICTURES = 9;
const FINE = 8; // places of the slider from a picture to the next
const LAST = (PICTURES - 1) * FINE;
const MANY = 10; // numbers of noise, from which on its length is worth a word

export const title = "Between two seeds";
export const sentence = "A walk through the noise, from one picture to another.";
export const suits = (model) => perDrawing(model).length > 0;

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const seeds = seedControls({ from: "From seed", to: "To seed" }, params, begin);
  const label = classField(model, params, begin);
  const slider = h("input", { type: "range", min: 0, max: LAST, step: 1, value: LAST / 2 });
  const words = h("output", {}, "");
  const row = pictureRow(model.image, PICTURES, (index) => go(index * FINE));
  const large = pixelCanvas(model.image, "The picture at the slider");
  const caption = h("h2", {}, "");
  const facts = h("p.hint.number.explore-facts", {}, "");
  const run = oneSet(context, signal, facts);
  const ask = latest(draw, signal, (error) => context.fail(error, begin));
  let walk = null; // { from, to, label, seen: bitmaps by place } of the seeds that are set

  controls.append(...seeds.elements, ...(label.element ? [label.element] : []), seeds.button);
  stage.append(
    h(
      "section.panel",
      { "aria-label": "From one to the other" },
      h("div.explore-head", {}, caption, facts),
      row.element,
      h("div.explore-slider", {}, field("Along the way", slider, words)),
      h("div.explore-beside", {}, h("div.explore-large", {}, large.element), h("div.explore-words", {}, ...explained(model))),
    ),
  );
  slider.oninput = () => go(Number(slider.value));
  slider.value = /^[0-9]{1,2}$/.test(params.get("at") ?? "") ? params.get("at") : LAST / 2;
  caption.textContent = model.name;
  begin();

  function begin() {
    const mine = (walk = { ...seeds.values, label: label.value, seen: new Map() });
    go(Number(slider.value));
    const places = row.canvases.map((_, index) => noiseAt(index * FINE));
    const begun = () => {
      caption.textContent = `${model.name}, from seed ${mine.from} to seed ${mine.to}`;
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
      (ended) => drawPlaces(context, model, places, { seed: mine.from, signal: ended, onPicture }),
      leave,
      begin,
    );
  }

  /** Moves to a place of the slider. What is not drawn there yet is asked for; the row's own pictures come anyhow. */
  function go(at) {
    slider.value = at;
    words.textContent = `${Math.round((100 * at) / LAST)} %`;
    slider.setAttribute("aria-valuetext", place(at));
    row.mark(at % FINE === 0 ? at / FINE : null);
    remember({ ...seeds.values, label: label.value, at });
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
    await drawPlaces(context, model, [noiseAt(at)], {
      seed: walk.from,
      signal: stale,
      onPicture(_, bitmap) {
        wanted.walk.seen.set(at, bitmap);
        // Where the slider is by now may be drawn already; if it is not, this is nearer than what is shown.
        const now = Number(slider.value);
        if (wanted.walk === walk && (now === at || !walk.seen.has(now))) showLarge(at, bitmap);
      },
    });
  }

  function noiseAt(at) {
    const latents = perDrawing(model).map((latent) => {
      const ends = [noiseOf(walk.from, latent), noiseOf(walk.to, latent)];
      return [latent.name, between(...ends, at / LAST, latent.prior)];
    });
    return { latents: Object.fromEntries(latents), label: walk.label };
  }

  function place(at) {
    const { from, to } = walk;
    if (at === 0) return `at seed ${from}`;
    if (at === LAST) return `at seed ${to}`;
    return `${Math.round((100 * at) / LAST)} % of the way from seed ${from} to seed ${to}`;
  }
}

function explained(model) {
  const latents = perDrawing(model);
  const numbers = latents.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  const rest = model.latents.filter((latent) => latent.per !== "drawing");
  const arc = numbers >= MANY && latents.some((latent) => latent.prior === "normal");
  return [
    h("h3", {}, "What changes on the way"),
    h("p.hint", {}, `The ${numbers} numbers of noise that a picture begins with. Each place on the way is one drawing.`),
    arc &&
      h(
        "p.hint",
        {},
        "The way is an arc, not a straight line: noise of many numbers is always about equally long, and the middle of a " +
          "straight line would be shorter than anything that the model has learnt from.",
      ),
    rest.length > 0 &&
      h("p.hint", {}, `${callNoise(rest)} is the first seed's all the way.`),
  ].filter(Boolean);
}
