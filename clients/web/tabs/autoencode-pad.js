/** Where one draws: with mouse, finger or pen, or shows a picture instead. Every change can be undone. */

import { h } from "../parts/dom.js";

const SIZE = 560; // of the pad's own pixels: smooth on any screen
const DIGIT = 28; // MNIST's side, in which strokes are measured
const BOX = 20; // MNIST's digits were fitted into a box of this side, then centred by their mass

const EMPTY = { strokes: [], picture: null, mark: null, inverted: false };

/**
 * @param {object} options
 * @param {() => number} options.thickness Of strokes, in pixels of a picture of 28.
 * @param {() => void} options.onChange Told when a stroke is finished, or the picture is another.
 * @param {AbortSignal} options.signal
 */
export function drawingPad({ thickness, onChange, signal }) {
  const element = h("canvas.pad", { width: SIZE, height: SIZE, role: "img", "aria-label": "Drawing pad" });
  const ink = element.getContext("2d");
  let state = EMPTY;
  let before = []; // states, to go back to
  let pen = null; // of the stroke under way: { id, stroke }

  function become(next) {
    before.push(state);
    state = next;
    paint();
  }

  function paint() {
    render(ink, SIZE, state, unmoved);
    const what = state.picture ? "with a picture" : `with ${state.strokes.length} ${state.strokes.length === 1 ? "stroke" : "strokes"}`;
    element.setAttribute("aria-label", `Drawing pad, ${isEmpty() ? "empty" : what}`);
  }

  const isEmpty = () => !state.picture && !state.strokes.length;

  function place(event) {
    const box = element.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function down(event) {
    if (pen || event.button !== 0) return; // a second finger, another button
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const stroke = { width: thickness(), points: [place(event)] };
    pen = { id: event.pointerId, stroke };
    // Whoever draws on a picture that was chosen wants to draw one.
    become({ ...EMPTY, strokes: [...(state.picture ? [] : state.strokes), stroke] });
  }

  function move(event) {
    if (event.pointerId !== pen?.id) return;
    const all = event.getCoalescedEvents?.() ?? [];
    pen.stroke.points.push(...(all.length ? all : [event]).map(place));
    paint();
  }

  function up(event) {
    if (event.pointerId !== pen?.id) return;
    pen = null;
    onChange();
  }

  function cancel(event) {
    if (event.pointerId !== pen?.id) return;
    pen = null;
    state = before.pop();
    paint();
  }

  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", cancel, { signal });
  paint();

  return {
    element,
    /** Shows a picture; the middle of it where it is not square. `mark` is given back as long as it is there. */
    show(picture, mark = null) {
      become({ ...EMPTY, picture, mark });
      onChange();
    },
    invert() {
      become({ ...state, inverted: !state.inverted, mark: null });
      onChange();
    },
    clear() {
      become(EMPTY);
      onChange();
    },
    undo() {
      if (pen || !before.length) return;
      state = before.pop();
      paint();
      onChange();
    },
    /** What is on the pad in the size that a model takes; strokes fitted as MNIST's digits were, if wanted. */
    picture({ height, width }, fitted) {
      const canvas = new OffscreenCanvas(width, height); // whose file is made at once, not when the page is idle
      const small = canvas.getContext("2d", { willReadFrequently: true });
      render(small, width, state, unmoved, height);
      if (fitted && state.strokes.length) {
        const scaled = toBox(state.strokes);
        render(small, width, state, scaled, height);
        const [x, y] = middleOfMass(small.getImageData(0, 0, width, height));
        render(small, width, state, (point) => shifted(scaled(point), 0.5 - x, 0.5 - y), height);
      }
      return canvas;
    },
    get empty() {
      return isEmpty();
    },
    get hasPicture() {
      return state.picture !== null;
    },
    get mark() {
      return state.mark;
    },
    get canUndo() {
      return before.length > 0;
    },
  };
}

const unmoved = (point) => point;
const shifted = ([x, y], dx, dy) => [x + dx, y + dy];

/** Paints a state in white on black. */
function render(ink, width, { strokes, picture, inverted }, moved, height = width) {
  ink.globalCompositeOperation = "source-over";
  ink.fillStyle = "black";
  ink.fillRect(0, 0, width, height);
  if (picture) {
    const zoom = Math.max(width / picture.width, height / picture.height);
    const [w, h] = [picture.width * zoom, picture.height * zoom];
    ink.imageSmoothingEnabled = zoom < 1; // a small picture has pixels, and one shall see them
    ink.imageSmoothingQuality = "high";
    ink.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  }
  ink.strokeStyle = "white";
  ink.lineCap = ink.lineJoin = "round";
  for (const stroke of strokes) {
    ink.lineWidth = (stroke.width * width) / DIGIT;
    const points = stroke.points.map(moved).map(([x, y]) => [x * width, y * height]);
    ink.beginPath();
    ink.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i += 1) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
      ink.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    ink.lineTo(...points.at(-1)); // of a point alone: a dot
    ink.stroke();
  }
  if (!inverted) return;
  ink.globalCompositeOperation = "difference";
  ink.fillStyle = "white";
  ink.fillRect(0, 0, width, height);
}

/** Moves points so that all ink has the box's side, whichever is the longer. Thickness stays as it was chosen. */
function toBox(strokes) {
  const points = strokes.flatMap((stroke) => stroke.points);
  const ends = (axis) => points.map((point) => point[axis]).reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [1, 0]);
  const [[left, right], [top, bottom]] = [ends(0), ends(1)];
  const thickness = Math.max(...strokes.map((stroke) => stroke.width));
  const longest = Math.max(right - left, bottom - top);
  const zoom = Math.min(4, (BOX - thickness) / DIGIT / Math.max(longest, 1e-6)); // a dot stays a dot
  return ([x, y]) => [0.5 + (x - (left + right) / 2) * zoom, 0.5 + (y - (top + bottom) / 2) * zoom];
}

/** Where the ink's mass has its middle, in parts of width and height. */
function middleOfMass({ data, width, height }) {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < width * height; i += 1) {
    const ink = data[4 * i];
    mass += ink;
    sumX += ink * ((i % width) + 0.5);
    sumY += ink * (Math.floor(i / width) + 0.5);
  }
  return mass ? [sumX / mass / width, sumY / mass / height] : [0.5, 0.5];
}
