/** Sliders for the controls of a model: numbers that a request may set, each within its range. */

import { field, h } from "./dom.js";

const PLACES = 40; // of a slider, or a few more

/** `onChange` is called when one is let go of. */
export function controlSliders(onChange = () => {}) {
  const element = h("div.controls", {});
  let sliders = []; // { control, slider }

  return {
    element,
    /** Shows those of a model, at the values that are wanted by name, or else at their defaults. */
    suit(model, wanted = {}) {
      sliders = (model?.controls ?? []).map((control) => {
        const { name, min, max, summary } = control;
        const step = niceStep(max - min);
        const slider = h("input", { type: "range", min, max, step });
        const words = h("output", {}, "");
        const show = () => (words.textContent = String(Number(slider.value)));
        const value = wanted[name];
        slider.value = Number.isFinite(value) && value >= min && value <= max ? value : control.default;
        slider.oninput = show;
        slider.onchange = onChange;
        slider.title = summary;
        show();
        return { control, slider, element: field(titled(name), slider, words) };
      });
      element.replaceChildren(...sliders.map((each) => each.element));
      element.hidden = !sliders.length;
    },
    /** Their values by name; null for a model without. */
    get values() {
      if (!sliders.length) return null;
      return Object.fromEntries(sliders.map(({ control, slider }) => [control.name, Number(slider.value)]));
    },
  };
}

/** 1, 2 or 5 times a power of ten, about a fortieth of a range. */
function niceStep(range) {
  const rough = range / PLACES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.75);
  return Number((nice * power).toPrecision(1));
}

function titled(name) {
  const words = name.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}
