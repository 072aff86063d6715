/** A number that is chosen with a slider, shown beside the label. */

import { field, h } from "./dom.js";

/**
 * @param {object} options
 * @param {string} options.label
 * @param {number} options.min
 * @param {number} options.max
 * @param {number} options.value
 * @param {() => void} [options.onChange] Told when somebody has let go of it.
 */
export function range({ label, min, max, value, onChange = () => {} }) {
  const slider = h("input", { type: "range", min, max, step: 1 });
  const words = h("output", {}, "");
  const show = () => (words.textContent = slider.value);
  slider.oninput = show;
  slider.onchange = onChange;
  slider.value = value;
  show();
  return {
    element: field(label, slider, words),
    /** Other limits, and the number to begin with. */
    limit(low, high, next) {
      slider.min = low;
      slider.max = high;
      slider.value = next;
      slider.disabled = low === high;
      show();
    },
    get value() {
      return Number(slider.value);
    },
  };
}
