/** Every class: the same noise, asked to be each of the model's classes. */

import { pixelCanvas } from "../parts/canvas.js";
import { h } from "../parts/dom.js";
import { seedControls } from "./explore-controls.js";
import { drawPlaces, oneSet, perDrawing, replacing } from "./explore-draw.js";
import { noiseOf } from "./explore-noise.js";

const NOISES = 5;
const MOST = 20; // classes: nobody looks at a thousand

export const title = "Every class";
export const sentence = "The same noise, asked to be each class.";
export const suits = (model) => Boolean(model.labels) && perDrawing(model).length > 0;

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const seeds = seedControls({ seed: "Seed" }, params, begin);
  const caption = h("h2", {}, "");
  const names = model.labels.slice(0, MOST);
  const wide = names.length > 10; // it may have to scroll
  const canvases = Array.from({ length: NOISES }, (_, noise) =>
    names.map((name) => pixelCanvas(model.image, `Noise ${noise + 1} as ${name}`)),
  );
  const facts = h("p.hint.number.explore-facts", {}, "");
  const run = oneSet(context, signal, facts);

  controls.append(...seeds.elements, seeds.button);
  stage.append(
    h(
      "section.panel",
      { "aria-label": "The same noise as every class" },
      h("div.explore-head", {}, caption, facts),
      h(
        "div.explore-classes-scroll",
        wide ? { tabindex: 0, role: "group", "aria-label": "Pictures by noise and class" } : {},
        h(
          "table.explore-classes",
          {},
          h("thead", {}, h("tr", {}, h("td", {}), ...names.map((name) => h("th", { scope: "col" }, name)))),
          h(
            "tbody",
            {},
            ...canvases.map((row, noise) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, h("span.visually-hidden", {}, "Noise "), noise + 1),
                ...row.map((canvas) => h("td", {}, canvas.element)),
              ),
            ),
          ),
        ),
      ),
      h(
        "p.hint",
        {},
        "A row is one noise, a column one class. What stays the same along a row, such as slant and weight, the model takes " +
          "from the noise; the class decides the rest.",
      ),
    ),
  );
  caption.textContent = model.name;
  begin();

  function begin() {
    const { seed } = seeds.values;
    remember({ seed });
    const places = canvases.flatMap((row, noise) => {
      const latents = Object.fromEntries(perDrawing(model).map((latent) => [latent.name, noiseOf(seed, latent, noise)]));
      return row.map((_, label) => ({ latents, label }));
    });
    const flat = canvases.flat();
    const begun = () => {
      caption.textContent = `${model.name}, noises of seed ${seed}`;
      reveal();
    };
    const { onPicture, leave } = replacing(flat.length, begun, (index, bitmap) => flat[index].show(bitmap));
    run(`${flat.length} pictures`, (ended) => drawPlaces(context, model, places, { seed, signal: ended, onPicture }), leave);
  }
}
