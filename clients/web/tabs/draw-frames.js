/** The canvases of one drawing as they have come, and what each way of looking makes of them. */

import { balance, change, settledBy, settledSteps, traces } from "../parts/changes.js";
import { paintChange, paintSettled, paintTraces } from "../parts/layers.js";

/** @param {number} steps Of the drawing when it is complete. */
export function drawingFrames(steps) {
  const frames = []; // { bitmaps, outputs, values, kind, elapsedUs } by step, from 0
  const bytes = new WeakMap(); // of bitmaps
  let maps = new Map(); // of settled steps, by canvas, of the frames so far
  let reader = null;

  function pixels(step, index) {
    const bitmap = frames[step - 1].bitmaps[index];
    if (!bytes.has(bitmap)) bytes.set(bitmap, read(bitmap));
    return bytes.get(bitmap);
  }

  function read(bitmap) {
    const { width, height } = bitmap;
    reader ??= new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    reader.drawImage(bitmap, 0, 0);
    return reader.getImageData(0, 0, width, height).data;
  }

  const upTo = (step, index) => Array.from({ length: step }, (_, earlier) => pixels(earlier + 1, index));
  const changed = (step, index) => change(step > 1 ? pixels(step - 1, index) : null, pixels(step, index));

  function settled(index) {
    if (!maps.has(index)) maps.set(index, settledSteps(upTo(frames.length, index)));
    return maps.get(index);
  }

  return {
    add(step, frame) {
      frames[step - 1] = frame;
      maps = new Map(); // the last value of a pixel is another now
    },
    at: (step) => frames[step - 1],
    get all() {
      return frames;
    },
    /** How a canvas looks at a step: a bitmap, or pixels that were made of it. */
    look(view, step, index) {
      const { width } = frames[step - 1].bitmaps[index];
      if (view === "change") return paintChange(pixels(step, index), changed(step, index), width);
      if (view === "traces") return paintTraces(pixels(step, index), traces(upTo(step, index)), width);
      if (view === "settled") return paintSettled(pixels(step, index), settled(index), width, { step, count: steps });
      return frames[step - 1].bitmaps[index];
    },
    /** What a step added to a canvas and removed from it. */
    balance: (step, index) => balance(changed(step, index)),
    /** The step by which half of a canvas, or another share, has settled. */
    settledBy: (index, share = 0.5) => settledBy(settled(index), share),
    scores: (index, shown = frames.length) => frames.slice(0, shown).map((frame) => frame.values?.[index]),
    close() {
      for (const frame of frames) frame.bitmaps.forEach((bitmap) => bitmap.close());
    },
  };
}
