/** Controls that several ways of exploring have: seeds that take effect at once, and a class. */

import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { newSeed, seedField } from "../parts/seed.js";

/** A seed of the address, or null. */
export function seedOf(params, name) {
  const text = params.get(name) ?? "";
  return /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

/**
 * Seed fields by their names in the address, and a button that throws those anew that are not locked.
 *
 * @param {Record<string, string>} labels
 * @param {URLSearchParams} params
 * @param {() => void} onChange
 */
export function seedControls(labels, params, onChange) {
  const fields = Object.entries(labels).map(([name, label]) => {
    const seed = seedField({ label, onChange });
    seed.set(seedOf(params, name) ?? newSeed(), false); // from a link or not: the button is for trying others
    return [name, seed];
  });
  const button = h("button.primary", { type: "button" }, icon("dice"), fields.length > 1 ? "Other seeds" : "Another seed");
  button.onclick = () => {
    const next = fields.map(([, seed]) => seed.next());
    if (!next.includes(null)) onChange();
  };
  return {
    elements: fields.map(([, seed]) => seed.element),
    button,
    get values() {
      return Object.fromEntries(fields.map(([name, seed]) => [name, seed.value]));
    },
    set: (name, seed) => Object.fromEntries(fields)[name].set(seed),
  };
}
