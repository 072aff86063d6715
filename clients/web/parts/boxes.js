/** Attention boxes over canvases: where a step looked and where it wrote. */

import { h, newId, s } from "./dom.js";

/** The outputs of a model that are boxes, in the order of their colours. */
export function boxesOf(model) {
  return (model.outputs ?? []).filter((output) => output.meaning === "box");
}

/**
 * Outlines that lie over one canvas of the same size.
 *
 * @param {{ height: number, width: number }} image The model's image size.
 * @param {{ name: string, points: number, summary: string }[]} kinds From `boxesOf`.
 */
export function boxOverlay(image, kinds) {
  const outlines = kinds.map((_, index) => s(`rect.box.box-${index + 1}`, { "vector-effect": "non-scaling-stroke" }));
  // Places are counted from the middle of the first pixel.
  const viewBox = `-0.5 -0.5 ${image.width} ${image.height}`;
  const element = s("svg.boxes", { viewBox, preserveAspectRatio: "none", "aria-hidden": "true" }, ...outlines);
  const inside = (value, side) => Math.min(Math.max(value, -0.5), side - 0.5);

  return {
    element,
    /** Shows the boxes of image `index`, of a frame's outputs; where there are none, none. */
    show(outputs, index) {
      kinds.forEach(({ name, points }, kind) => {
        const box = outputs?.[name]?.[index];
        outlines[kind].toggleAttribute("hidden", !box);
        if (!box) return;
        const [x, y, stride] = box;
        const half = (stride * (points - 1)) / 2;
        const left = inside(x - half, image.width);
        const top = inside(y - half, image.height);
        const place = { x: left, y: top, width: inside(x + half, image.width) - left, height: inside(y + half, image.height) - top };
        for (const [attribute, value] of Object.entries(place)) outlines[kind].setAttribute(attribute, value);
      });
    },
  };
}

/** The boxes of an image in words, for those who do not see them: "writes 9 pixels wide at 14, 10". */
export function boxWords(kinds, outputs, index) {
  return kinds
    .filter(({ name }) => outputs?.[name]?.[index])
    .map(({ name, points, summary }) => {
      const [x, y, stride] = outputs[name][index];
      return `${summary || name}: ${Math.round(stride * (points - 1))} pixels wide at ${Math.round(x)}, ${Math.round(y)}`;
    })
    .join("; ");
}

/**
 * What the colours mean, and a switch that hides the boxes of `stage`.
 *
 * @param {HTMLElement} stage Gets the class `no-boxes` while they are hidden.
 */
export function boxLegend(stage) {
  const id = newId("boxes");
  const names = h("span.box-names", {});
  const box = h("input", { id, type: "checkbox", checked: true });
  box.onchange = () => stage.classList.toggle("no-boxes", !box.checked);
  const element = h("p.hint.box-legend", { hidden: true }, box, h("label", { htmlFor: id }, "Attention boxes"), names);
  return {
    element,
    /** Names the boxes of another model; without any the legend goes. */
    name(kinds) {
      element.hidden = !kinds.length;
      names.replaceChildren(
        ...kinds.map(({ name, summary }, index) => h("span.box-name", {}, h(`span.box-swatch.box-${index + 1}`, {}), summary || name)),
      );
    },
  };
}
