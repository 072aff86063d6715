/** A seed that is shown, can be typed, thrown anew, and locked: a locked one is used again for the next drawing. */

import { field, h } from "./dom.js";
import { icon } from "./icons.js";

/** The largest seed that a JavaScript number holds exactly; the server takes more. */
const MAX = Number.MAX_SAFE_INTEGER;

/** A seed that nobody chose. Short enough to be read out. */
export function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}

/**
 * @param {object} [options]
 * @param {string} [options.label]
 * @param {number | null} [options.value] A seed that is there from the start, locked; null: a new one, not locked.
 * @param {(seed: number) => void} [options.onChange] Told when somebody typed or threw another.
 */
export function seedField({ label = "Seed", value = null, onChange = () => {} } = {}) {
  const input = h("input", { inputmode: "numeric", autocomplete: "off", spellcheck: "false", value: "" });
  const lock = h("button.icon", { type: "button", onclick: () => setLocked(!locked) });
  const dice = h("button.icon", { type: "button", title: "New seed", "aria-label": `New ${label.toLowerCase()}` }, icon("dice"));
  let locked = false;
  let seed = 0;

  function setLocked(on) {
    locked = on;
    lock.setAttribute("aria-pressed", String(on));
    lock.setAttribute("aria-label", `Keep this ${label.toLowerCase()}`);
    lock.title = on ? "Locked: the next drawing has the same seed" : "Unlocked: the next drawing has a new seed";
    lock.replaceChildren(icon(on ? "lock" : "unlock"));
  }

  function set(next) {
    seed = next;
    input.value = String(next);
    input.setCustomValidity("");
  }

  input.onchange = () => {
    const text = input.value.trim();
    if (!/^[0-9]+$/.test(text) || Number(text) > MAX) {
      input.setCustomValidity(`A seed is a whole number from 0 to ${MAX}.`);
      input.reportValidity();
      return;
    }
    set(Number(text));
    setLocked(true); // whoever types a seed wants that one
    onChange(seed);
  };
  input.oninput = () => input.setCustomValidity("");
  dice.onclick = () => {
    set(newSeed());
    onChange(seed);
  };

  set(value ?? newSeed());
  setLocked(value !== null);
  const box = field(label, input);
  const group = h("div.seed", {});
  input.replaceWith(group);
  group.append(input, lock, dice);

  return {
    element: box,
    /** The seed for the next drawing: this one if it is locked or untouched since `value` was given, else a new one. */
    next() {
      if (!input.checkValidity()) {
        input.reportValidity();
        return null;
      }
      if (!locked) set(newSeed());
      return seed;
    },
    /** The seed as it is typed, to be drawn again with other settings; null: it is none. */
    keep() {
      return input.checkValidity() ? seed : null;
    },
    set(next, lockIt = locked) {
      set(next);
      setLocked(lockIt);
    },
    get value() {
      return seed;
    },
    get locked() {
      return locked;
    },
  };
}
