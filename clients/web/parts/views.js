/** Four ways to look at a drawing: as it is, what a step changed, what lies beneath, when each pixel settled. */

import { h, newId } from "./dom.js";
import { stepColour } from "./layers.js";

export const VIEWS = [
  { name: "picture", key: "p", title: "Picture", means: "Each canvas as the model left it." },
  { name: "change", key: "c", title: "Change", means: "What this step added and removed, over the canvas dimmed." },
  { name: "traces", key: "o", title: "Onion skin", means: "Earlier steps beneath the canvas, the older the fainter." },
  { name: "settled", key: "s", title: "Settled", means: "The step from which a pixel stays within a sixteenth of its final value." },
];

const POINT = " Point at one to see the steps beneath it."; // where there is something to point with

/**
 * The switch between them, with the legend of the one that is chosen.
 *
 * @param {(name: string) => void} onChange
 */
export function viewSwitch(onChange) {
  const group = newId("view");
  const meaning = h("p.view-means", {}, "");
  const legend = h("div.view-legend", {});
  let steps = 1;
  let current = VIEWS[0];

  const radios = VIEWS.map((view) => {
    const input = h("input", { type: "radio", name: group, value: view.name, "aria-keyshortcuts": view.key });
    input.onchange = () => choose(view);
    const element = h("label.view", {}, input, h("span", {}, view.title), h("kbd", { "aria-hidden": "true" }, view.key.toUpperCase()));
    return { input, element };
  });
  const element = h(
    "div.views",
    {},
    h("fieldset.view-choice", {}, h("legend.visually-hidden", {}, "How to look at the canvases"), ...radios.map((radio) => radio.element)),
    h("div.view-words", {}, meaning, legend),
  );

  function choose(view, tell = true) {
    current = view;
    radios[VIEWS.indexOf(view)].input.checked = true;
    meaning.textContent = view.means + (view === VIEWS[0] && matchMedia("(hover: hover)").matches ? POINT : "");
    legend.replaceChildren(...legendOf(view.name, steps));
    if (tell) onChange(view.name);
  }

  choose(current, false);
  return {
    element,
    get name() {
      return current.name;
    },
    /** Fits the legend to a drawing of so many steps. */
    begin(count) {
      steps = count;
      choose(current, false);
    },
    /** Whether a key is one of the switch: it is pressed then, and a second time goes back to the picture. */
    press(key) {
      const view = VIEWS.find((one) => one.key === key.toLowerCase());
      if (view) choose(view === current ? VIEWS[0] : view);
      return Boolean(view);
    },
  };
}

function legendOf(name, steps) {
  const swatch = (kind, text) => h("span.view-key", {}, h(`span.view-swatch.${kind}`, {}), text);
  if (name === "change") return [swatch("swatch-added", "added"), swatch("swatch-removed", "removed")];
  if (name === "traces") return [swatch("swatch-removed", "was brighter before"), swatch("swatch-added", "was darker")];
  if (name === "settled") return [h("span.number", {}, "step 1"), ramp(steps), h("span.number", {}, `step ${steps}`)];
  return [];
}

/** The colours of all steps, side by side. */
function ramp(steps) {
  const element = h("canvas.view-ramp", { width: steps, height: 1, "aria-hidden": "true" });
  const ink = element.getContext("2d");
  for (let step = 1; step <= steps; step += 1) {
    ink.fillStyle = `rgb(${stepColour(step, steps).join(" ")})`;
    ink.fillRect(step - 1, 0, 1, 1);
  }
  return element;
}
