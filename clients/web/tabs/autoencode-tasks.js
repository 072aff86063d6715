/** What models can do with a picture, and in words what the others can do instead. */

import { greyPng } from "./grey-png.js";

const TASKS = [
  {
    name: "autoencode",
    words: "Draw it again",
    what: "Drawn again",
    request: async (image, _, samples) => ({ image, samples }),
  },
  {
    name: "complete",
    words: "Keep the upper half, draw the rest",
    what: "Completion",
    request: async (image, size, n) => ({ image, mask: await greyPng(upperHalf(size), size), n }),
  },
];

/** The tasks that a model has. */
export function tasksOf(model) {
  return TASKS.filter(({ name }) => model.operations.includes(name));
}

/** White where a picture is kept. */
function upperHalf({ height, width }) {
  return new Uint8Array(height * width).fill(255, 0, Math.floor(height / 2) * width);
}

/** Which models are not offered here, or only for some of it, and why. */
export function abilities(models) {
  const sentences = [];
  const half = named(models.filter((model) => tasksOf(model).map(({ name }) => name).join() === "complete"));
  if (half.length) sentences.push(`${list(half)} cannot draw a picture again, for want of an encoder, but can go on from its upper half.`);
  const none = named(models.filter((model) => !tasksOf(model).length));
  if (none.length) {
    sentences.push(`Not offered: ${list(none)}. ${none.length === 1 ? "It takes" : "They take"} no picture to start from; the other tabs show what ${none.length === 1 ? "it" : "they"} can do.`);
  }
  return sentences.join(" ");
}

const named = (models) => models.map((model) => model.name);

function list(names) {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
