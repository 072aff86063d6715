/** Between two pictures: both are encoded, and the model draws what lies between their encodings. */

import { decode, pixelCanvas } from "../parts/canvas.js";
import { classField } from "../parts/class.js";
import { h } from "../parts/dom.js";
import { DIGITS } from "./digits.js";
import { seedControls } from "./explore-controls.js";
import { between } from "./explore-noise.js";
import { arcHint, walkStage } from "./explore-walk.js";

const FIRST = { from: 2, to: 7 };
const MANY = 10; // numbers of noise, from which on its length is worth a word

export const title = "Between two pictures";
export const sentence = "A walk from what an encoder makes of one picture to what it makes of another.";
export const suits = (model) => model.operations.includes("encode");

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const ends = {
    from: pictureChoice("From", params.get("from") ?? FIRST.from, begin, signal),
    to: pictureChoice("To", params.get("to") ?? FIRST.to, begin, signal),
  };
  const seeds = seedControls({ seed: "Seed of the encoding" }, params, begin);
  const label = classField(model, params, begin);
  let asked = null; // the AbortController of the encoding under way
  const walk = walkStage({
    context,
    model,
    signal,
    stage,
    reveal,
    explained: explained(model),
    at: params.get("at"),
    onMove: (at) => remember({ from: ends.from.digit, to: ends.to.digit, ...seeds.values, label: label.value, at }),
    again: begin,
  });
  controls.append(ends.from.element, ends.to.element, ...seeds.elements, ...(label.element ? [label.element] : []), seeds.button);
  begin();

  async function begin() {
    asked?.abort();
    const mine = (asked = new AbortController());
    const [from, to] = [ends.from.words, ends.to.words];
    const chosen = label.value;
    const { seed } = seeds.values;
    const images = [ends.from.blob, ends.to.blob];
    let encoding;
    try {
      const request = { model: model.name, images, seed, fit: "resize" };
      ({ encoding } = await context.client.encode(request, { signal: AbortSignal.any([signal, mine.signal]) }));
    } catch (error) {
      if (!mine.signal.aborted && !signal.aborted) context.fail(error, begin);
      return;
    }
    // Of the encoding, what a drawing takes: the rest, such as a posterior's mean, is for reading only.
    const known = model.latents.filter(({ name }) => encoding[name]);
    walk.begin({
      seed,
      from,
      to,
      caption: `${model.name}, from ${from} to ${to}`,
      noiseAt(way) {
        const latents = known.map(({ name, prior }) => {
          const [left, right] = encoding[name].map((numbers) => Float32Array.from(numbers.flat(Infinity)));
          return [name, between(left, right, way, prior)];
        });
        return { latents: Object.fromEntries(latents), label: chosen };
      },
    });
  }
}

/**
 * Ten digits and a file to choose from, one of them chosen.
 *
 * @param {string} name "From" or "To".
 * @param {string | number} first The digit that is chosen at first.
 * @param {() => void} onChange
 * @param {AbortSignal} signal
 */
function pictureChoice(name, first, onChange, signal) {
  let digit = DIGITS[first] ? Number(first) : FIRST[name.toLowerCase()];
  let file = null;
  const words = h("p.hint", { role: "status" }, "");
  const input = h("input", { type: "file", accept: "image/*", hidden: true });
  const button = h("button", { type: "button", onclick: () => input.click() }, "Image file");
  const buttons = DIGITS.map((blob, value) => {
    const picture = pixelCanvas({ height: 28, width: 28 }, "");
    decode(blob).then((bitmap) => signal.aborted || picture.show(bitmap));
    picture.element.setAttribute("aria-hidden", "true");
    const choice = h("button.cell-button", { type: "button", onclick: () => take(value) }, picture.element);
    choice.setAttribute("aria-label", `${name} digit ${value}`);
    return choice;
  });

  function mark() {
    buttons.forEach((choice, value) => choice.setAttribute("aria-pressed", String(value === digit)));
  }

  function take(value) {
    [digit, file] = [value, null];
    words.textContent = "";
    mark();
    onChange();
  }

  input.onchange = async () => {
    const [chosen] = input.files;
    input.value = ""; // the same file may be chosen again
    if (!chosen) return;
    try {
      await decode(chosen);
    } catch {
      words.textContent = `${chosen.name} is no picture that this browser can read. Choose a PNG or JPEG file.`;
      return;
    }
    if (signal.aborted) return;
    [digit, file] = [null, chosen];
    words.textContent = chosen.name;
    mark();
    onChange();
  };
  mark();
  return {
    element: h(
      "fieldset.explore-picture",
      {},
      h("legend", {}, name),
      h("div.explore-digits", {}, ...buttons),
      h("span.explore-file", {}, button, input),
      words,
    ),
    get digit() {
      return digit;
    },
    get blob() {
      return file ?? DIGITS[digit];
    },
    get words() {
      return file ? file.name : `the ${digit}`;
    },
  };
}

function explained(model) {
  const normal = model.latents.filter(({ prior }) => prior === "normal");
  const numbers = normal.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  return [
    h("h3", {}, "What changes on the way"),
    h(
      "p.hint",
      {},
      "Both ends are drawn from what the encoder kept of the two pictures, and each place on the way from a mixture of the " +
        "two encodings. A good encoder has meaningful pictures there, not two that show through each other.",
    ),
    arcHint(numbers >= MANY),
  ].filter(Boolean);
}
