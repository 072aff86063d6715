/** What `changes.js` found, as pictures: paint in two colours, traces beneath the paint, a map of steps. */

// On the black of a canvas, whatever the theme: the palette's vermilion, and a blue that people who see no red, no
// green or no blue tell from it. tokens.css has the same for text and bars.
export const ADDED = [255, 141, 94];
export const REMOVED = [90, 169, 255];

// From early to late, each lighter than the one before: night, verdigris, sand, cream.
const RAMP = [
  [38, 44, 92],
  [27, 112, 118],
  [122, 191, 142],
  [255, 226, 138],
];
const BASE = 0.36; // how much of the canvas shows beneath a change
const REST = 0.3; // and of what has not settled yet

/**
 * A canvas, dimmed, with what a step did to it.
 *
 * @param {Uint8ClampedArray} pixels Of the canvas after the step.
 * @param {Int16Array} changes From `change`.
 * @param {number} width
 */
export function paintChange(pixels, changes, width) {
  return painted(pixels, width, (pixel, grey) => {
    const value = changes[pixel];
    return [grey * BASE, value < 0 ? REMOVED : ADDED, Math.sqrt(Math.abs(value) / 255)];
  });
}

/**
 * A canvas over what earlier ones leave beneath it, from `traces`: what they had and it has not, and what it has and
 * they had not, which is only hinted at.
 */
export function paintTraces(pixels, beneath, width) {
  return painted(pixels, width, (pixel, grey) => {
    const value = beneath[pixel] / 255;
    return value > 0 ? [grey, REMOVED, 0.9 * value ** 0.7] : [grey, ADDED, 0.45 * (-value) ** 0.9];
  });
}

/** The map of `settledSteps`: what has settled by `step` in the colour of its step, the rest of the canvas dimmed. */
export function paintSettled(pixels, steps, width, { step, count }) {
  const colours = Array.from({ length: count }, (_, index) => stepColour(index + 1, count));
  return painted(pixels, width, (pixel, grey) => [grey * REST, colours[steps[pixel] - 1], steps[pixel] <= step ? 1 : 0]);
}

/** The colour of a step in the map, as numbers. */
export function stepColour(step, count) {
  const place = count === 1 ? 0 : ((step - 1) / (count - 1)) * (RAMP.length - 1);
  const low = Math.min(Math.floor(place), RAMP.length - 2);
  return RAMP[low].map((value, channel) => Math.round(value + (place - low) * (RAMP[low + 1][channel] - value)));
}

/** A picture of greys, each with a colour over it: `colours(pixel, grey)` gives grey, colour and opacity. */
function painted(pixels, width, colours) {
  const picture = new ImageData(width, pixels.length / 4 / width);
  const { data } = picture;
  for (let at = 0; at < data.length; at += 4) {
    const luma = 0.2126 * pixels[at] + 0.7152 * pixels[at + 1] + 0.0722 * pixels[at + 2];
    const [grey, colour, opacity] = colours(at / 4, luma);
    for (let channel = 0; channel < 3; channel += 1) {
      data[at + channel] = grey + opacity * (colour[channel] - grey);
    }
    data[at + 3] = 255;
  }
  return picture;
}
