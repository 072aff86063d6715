/** Which class is drawn. */

import { field, h } from "./dom.js";

/**
 * A list of a model's classes; without an element for a model that wants none.
 *
 * @param {object} model As `GET /models` lists it.
 * @param {URLSearchParams} params Of the address; `label` is the class to begin with.
 * @param {() => void} onChange
 */
export function classField(model, params, onChange) {
  if (!model.labels) return { element: null, value: null, set: () => {} };
  const options = model.labels.map((name, index) => h("option", { value: index }, name));
  const select = h("select", { onchange: onChange }, ...options);
  const set = (label) => {
    if (model.labels[label] !== undefined) select.value = label;
  };
  set(params.get("label"));
  return {
    element: field("Class", select),
    get value() {
      return Number(select.value);
    },
    set,
  };
}
