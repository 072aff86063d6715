/** Level by level: a model with several noises, each with a seed of its own. */

import { pixelCanvas } from "../parts/canvas.js";
import { classField } from "../parts/class.js";
import { h } from "../parts/dom.js";
import { seedControls } from "./explore-controls.js";
import { drawPlaces, oneSet, pictureRow, replacing } from "./explore-draw.js";

const OTHERS = 5; // pictures of a level beside the one in hand

/** What noises are for, by the names that this project's exporter gives them. */
const LEVELS = {
  latent: "the upper level",
  map_noise: "the lower level, small maps drawn row by row",
  noise: "what the pixels are drawn with, row by row",
};

export const title = "Level by level";
export const sentence = "Each level of the noise with a seed of its own.";
export const suits = (model) => model.latents.length > 1;

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const key = (name) => `seed-${name}`;
  const labels = Object.fromEntries(model.latents.map(({ name }) => [key(name), `Seed of the ${spaced(name)}`]));
  const seeds = seedControls(labels, params, begin);
  const label = classField(model, params, begin);
  const large = pixelCanvas(model.image, "");
  const held = h("p.hint.number.explore-held", {}, "");
  const facts = h("p.hint.number.explore-facts", {}, "");
  const rows = model.latents.map((latent) => ({
    latent,
    row: pictureRow(model.image, OTHERS + 1, (index) => take(latent, index)),
  }));
  const run = oneSet(context, signal, facts);

  controls.append(...seeds.elements, ...(label.element ? [label.element] : []), seeds.button);
  stage.append(
    h(
      "section.panel",
      { "aria-label": "Level by level" },
      h("div.explore-head", {}, h("h2", {}, `The levels of ${model.name}`), facts),
      h(
        "div.explore-levels",
        {},
        h("div.explore-pointed", {}, large.element, held),
        h("div.explore-words", {}, ...explained()),
        h("div.explore-rows", {}, ...rows.map(({ latent, row }) => level(latent, row))),
      ),
    ),
  );
  begin();

  function begin() {
    const base = seeds.values;
    remember({ ...base, label: label.value });
    const listed = model.latents.map(({ name }) => `${spaced(name)} ${base[key(name)]}`).join(", ");
    const begun = () => {
      held.textContent = `Seeds: ${listed}`;
      large.describe(`Drawn with the seeds ${listed}`);
      for (const { latent, row } of rows) {
        row.canvases.forEach((canvas, i) => {
          const name = `Picture ${i + 1}, ${spaced(latent.name)} of seed ${other(base[key(latent.name)], i)}`;
          canvas.describe(i === 0 ? `${name}, in hand` : name);
        });
        row.mark(0);
      }
      reveal();
    };
    // The picture in hand begins every row: it is drawn once.
    const changes = [{ step: 0 }];
    rows.forEach(({ latent }, level) => {
      for (let step = 1; step <= OTHERS; step += 1) changes.push({ level, name: latent.name, step });
    });
    const places = changes.map((change) => ({ seeds: seedsWith(base, change), label: label.value }));
    const show = (index, bitmap) => {
      const { level, step } = changes[index];
      if (step === 0) large.show(bitmap);
      for (const { row } of step === 0 ? rows : [rows[level]]) row.canvases[step].show(bitmap);
    };
    const { onPicture, leave } = replacing(places.length, begun, show);
    const options = { seed: 0, onPicture }; // every noise has a seed of its own
    run(`${places.length} pictures`, (ended) => drawPlaces(context, model, places, { ...options, signal: ended }), leave);
  }

  /** Takes a picture of a row in hand: its seed for that level. */
  function take({ name }, index) {
    if (index === 0) return;
    seeds.set(key(name), other(seeds.values[key(name)], index));
    begin();
  }

  function seedsWith(base, change) {
    const seed = ({ name }) => other(base[key(name)], change.name === name ? change.step : 0);
    return Object.fromEntries(model.latents.map((latent) => [latent.name, seed(latent)]));
  }
}

/** The seeds that follow, so that a row stays in sight when one of its pictures is taken in hand. */
function other(seed, step) {
  return seed > Number.MAX_SAFE_INTEGER - step ? seed - step : seed + step;
}

function explained() {
  return [
    h("p.hint", {}, "Each row changes one level and keeps the others, so it shows what that level decides."),
    h("p.hint", {}, "Press a picture to take it in hand. Lock a seed to keep that level while the others are thrown."),
  ];
}

function level(latent, row) {
  const about = [LEVELS[latent.name], sizeWords(latent)].filter(Boolean).join(": ");
  return h(
    "section.explore-level",
    { "aria-label": `Another ${spaced(latent.name)}` },
    h("h3", {}, `Another ${spaced(latent.name)}, the rest kept`),
    h("p.hint", {}, `${about[0].toUpperCase()}${about.slice(1)}.`),
    row.element,
  );
}

function sizeWords({ shape, prior, per }) {
  const kind = prior === "normal" ? "normal" : "uniform";
  return `${shape.join(" × ")} ${kind} numbers ${per === "drawing" ? "for the whole picture" : "in each call of the model"}`;
}

function spaced(name) {
  return name.replaceAll("_", " ");
}
