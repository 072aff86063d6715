/** Between two seeds: a walk from the picture of one to that of the other. */

import { classField } from "../parts/class.js";
import { h } from "../parts/dom.js";
import { seedControls } from "./explore-controls.js";
import { callNoise, perDrawing } from "./explore-draw.js";
import { between, noiseOf } from "./explore-noise.js";
import { arcHint, walkStage } from "./explore-walk.js";

const MANY = 10; // numbers of noise, from which on its length is worth a word

export const title = "Between two seeds";
export const sentence = "A walk through the noise, from one picture to another.";
export const suits = (model) => perDrawing(model).length > 0;

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const seeds = seedControls({ from: "From seed", to: "To seed" }, params, begin);
  const label = classField(model, params, begin);
  const walk = walkStage({
    context,
    model,
    signal,
    stage,
    reveal,
    explained: explained(model),
    at: params.get("at"),
    onMove: (at) => remember({ ...seeds.values, label: label.value, at }),
    again: begin,
  });
  controls.append(...seeds.elements, ...(label.element ? [label.element] : []), seeds.button);
  begin();

  function begin() {
    const { from, to } = seeds.values;
    const chosen = label.value;
    walk.begin({
      seed: from,
      from: `seed ${from}`,
      to: `seed ${to}`,
      caption: `${model.name}, from seed ${from} to seed ${to}`,
      noiseAt(way) {
        const latents = perDrawing(model).map((latent) => {
          const ends = [noiseOf(from, latent), noiseOf(to, latent)];
          return [latent.name, between(...ends, way, latent.prior)];
        });
        return { latents: Object.fromEntries(latents), label: chosen };
      },
    });
  }
}

function explained(model) {
  const latents = perDrawing(model);
  const numbers = latents.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  const rest = model.latents.filter((latent) => latent.per !== "drawing");
  return [
    h("h3", {}, "What changes on the way"),
    h("p.hint", {}, `The ${numbers} numbers of noise that a picture begins with. Each place on the way is one drawing.`),
    arcHint(numbers >= MANY && latents.some((latent) => latent.prior === "normal")),
    rest.length > 0 && h("p.hint", {}, `${callNoise(rest)} is the first seed's all the way.`),
  ].filter(Boolean);
}
