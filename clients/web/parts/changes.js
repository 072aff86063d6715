/**
 * What the steps of a drawing did to its pixels: what one added and removed, what earlier ones left beneath, and when
 * each pixel settled. Numbers only: canvases are RGBA bytes, row by row, as `ImageData` has them.
 */

/** A pixel has settled when no channel leaves its final value by more than this any more: a sixteenth of the range. */
export const TOLERANCE = 16;

const FADE = 0.7; // of an earlier canvas beneath the next one
const OLDEST = 8; // steps back; what is older has faded to less than a tenth

/**
 * The signed change of every pixel, -255 to 255. Of a grey picture it is the difference; of a colour picture that of
 * the channel that changed most, with the sign of what all channels did together, so that no change of hue is lost.
 *
 * @param {Uint8ClampedArray | null} before null: the empty canvas, which is black.
 * @param {Uint8ClampedArray} after Of the same size.
 * @returns {Int16Array} A number a pixel: above 0 it became brighter.
 */
export function change(before, after) {
  const found = new Int16Array(after.length / 4);
  for (let pixel = 0; pixel < found.length; pixel += 1) {
    let most = 0;
    let sum = 0;
    for (let channel = 4 * pixel; channel < 4 * pixel + 3; channel += 1) {
      const difference = after[channel] - (before ? before[channel] : 0);
      sum += difference;
      most = Math.max(most, Math.abs(difference));
    }
    found[pixel] = sum < 0 ? -most : most;
  }
  return found;
}

/**
 * How much a step added and removed, as shares of a white canvas.
 *
 * @param {Int16Array} changes From `change`.
 * @returns {{ added: number, removed: number }} Each in [0, 1].
 */
export function balance(changes) {
  let added = 0;
  let removed = 0;
  for (const value of changes) {
    if (value > 0) added += value;
    else removed -= value;
  }
  const white = 255 * changes.length;
  return { added: added / white, removed: removed / white };
}

/**
 * What earlier canvases leave beneath the last one, the older the fainter: of every pixel the strongest of their
 * differences from it.
 *
 * @param {Uint8ClampedArray[]} canvases In the order of the steps, at least one.
 * @returns {Float32Array} A number a pixel, -255 to 255: above 0 an earlier canvas was brighter there.
 */
export function traces(canvases) {
  const now = canvases.at(-1);
  const found = new Float32Array(now.length / 4);
  let weight = 1;
  for (const earlier of canvases.slice(0, -1).slice(-OLDEST).reverse()) {
    change(now, earlier).forEach((value, pixel) => {
      if (Math.abs(value * weight) > Math.abs(found[pixel])) found[pixel] = value * weight;
    });
    weight *= FADE;
  }
  return found;
}

/**
 * The step at which each pixel settled: from then on it stays within `tolerance` of its last value.
 *
 * @param {Uint8ClampedArray[]} canvases In the order of the steps, at least one.
 * @param {number} [tolerance] In each channel, of 255.
 * @returns {Uint16Array} A step a pixel, from 1 to the number of canvases.
 */
export function settledSteps(canvases, tolerance = TOLERANCE) {
  const last = canvases.at(-1);
  const found = new Uint16Array(last.length / 4).fill(1);
  for (let pixel = 0; pixel < found.length; pixel += 1) {
    for (let step = canvases.length - 1; step > 0; step -= 1) {
      if (!differs(canvases[step - 1], last, 4 * pixel, tolerance)) continue;
      found[pixel] = step + 1;
      break;
    }
  }
  return found;
}

function differs(one, other, from, tolerance) {
  for (let channel = from; channel < from + 3; channel += 1) {
    if (Math.abs(one[channel] - other[channel]) > tolerance) return true;
  }
  return false;
}

/** The step by which a share of all pixels has settled. */
export function settledBy(steps, share) {
  const sorted = Uint16Array.from(steps).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
