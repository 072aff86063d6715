/** Canvases as the server draws them: a pixel is a pixel, however large it is shown. */

import { h } from "./dom.js";

/**
 * A picture file as something that a canvas takes, its values untouched.
 *
 * @param {Uint8Array | Blob} png
 * @returns {Promise<ImageBitmap>}
 */
export function decode(png) {
  const file = png instanceof Blob ? png : new Blob([png], { type: "image/png" });
  return createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

/**
 * One crisp canvas.
 *
 * @param {{ height: number, width: number }} image The model's image size.
 * @param {string} label What it shows, for those who do not see it.
 */
export function pixelCanvas(image, label) {
  const element = h("canvas.pixels", { width: image.width, height: image.height, role: "img", "aria-label": label });
  const ink = element.getContext("2d");
  return {
    element,
    /** Shows a bitmap, or pixels of the same size; null leaves the canvas blank. */
    show(picture) {
      if (picture instanceof ImageData) return ink.putImageData(picture, 0, 0);
      ink.clearRect(0, 0, element.width, element.height);
      if (picture) ink.drawImage(picture, 0, 0, element.width, element.height);
    },
    /** Says what it shows now. */
    describe(text) {
      element.setAttribute("aria-label", text);
    },
  };
}

/**
 * A grid of canvases of one drawing, each over a foot of its own (a score, a curve), one of them selected.
 *
 * @param {object} options
 * @param {{ height: number, width: number }} options.image
 * @param {number} options.n
 * @param {(index: number) => string} options.name What canvas `index` is called.
 * @param {(index: number) => Node | null} [options.foot] What stands beneath it.
 * @param {(index: number) => Node | null} [options.over] What lies over it.
 * @param {(index: number) => void} [options.onSelect] Makes the canvases buttons; told which was pressed.
 * @param {(index: number | null) => void} [options.onPoint] Told which one a mouse or the keyboard points at; null: none.
 */
export function canvasGrid({ image, n, name, foot = () => null, over = () => null, onSelect = null, onPoint = null }) {
  const canvases = Array.from({ length: n }, (_, index) => pixelCanvas(image, name(index)));
  const cells = canvases.map((canvas, index) => {
    const lid = over(index);
    const picture = lid ? h("span.boxed", {}, canvas.element, lid) : canvas.element;
    if (!onSelect) return h("li.cell", {}, picture, foot(index));
    const button = h("button.cell-button", { type: "button", "aria-pressed": "false", onclick: () => select(index) });
    button.append(picture);
    if (onPoint) pointedAt(button, (on) => onPoint(on ? index : null));
    return h("li.cell", {}, button, foot(index));
  });

  function select(index) {
    cells.forEach((cell, i) => cell.querySelector("button")?.setAttribute("aria-pressed", String(i === index)));
    onSelect?.(index);
  }

  return { element: h("ul.grid", { role: "list" }, ...cells), canvases, select };
}

/** Tells when a mouse comes over a button or the keyboard reaches it, and when it has left. */
function pointedAt(button, tell) {
  button.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && tell(true));
  button.addEventListener("pointerleave", () => tell(false));
  button.addEventListener("focus", () => button.matches(":focus-visible") && tell(true));
  button.addEventListener("blur", () => tell(false));
}
