/** Pictures that are chosen instead of drawn: ten digits, a file, one that is dropped, one of the address. */

import { decode } from "../parts/canvas.js";
import { h, newId } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { DIGITS } from "./digits.js";

const FIRST = 2; // shown until somebody draws
const LONGEST = 8000; // characters of an address: a picture that is larger is left out

/**
 * @param {object} options
 * @param {ReturnType<import("./autoencode-pad.js").drawingPad>} options.pad Where they are shown.
 * @param {AbortSignal} options.signal
 */
export function choosing({ pad, signal }) {
  const words = h("p.hint.sketch-words", { role: "status", id: newId("words") }, "");
  pad.element.setAttribute("aria-describedby", words.id);
  const input = h("input", { type: "file", accept: "image/*", hidden: true });
  const file = h("button", { type: "button", onclick: () => input.click() }, "Image file");
  const invert = h("button", { type: "button", onclick: pad.invert, title: "Black becomes white" }, icon("half"), "Invert");
  const buttons = DIGITS.map((digit, value) => {
    const picture = h("canvas.pixels", { width: 28, height: 28, "aria-hidden": "true" });
    decode(digit).then((bitmap) => picture.getContext("2d").drawImage(bitmap, 0, 0));
    const button = h("button.cell-button", { type: "button", "aria-pressed": "false", onclick: () => take(value) }, picture);
    button.setAttribute("aria-label", `Digit ${value}`);
    return button;
  });

  async function take(value) {
    await show(DIGITS[value], value);
    words.textContent = `${value === 8 ? "An" : "A"} ${value} from MNIST's test images. Draw on it to begin one of your own.`;
  }

  /** Shows a file; one that is no picture is refused in words. */
  async function show(blob, value = null, name = "This") {
    let bitmap;
    try {
      bitmap = await decode(blob);
    } catch {
      words.textContent = `${name} is no picture that this browser can read. Choose a PNG or JPEG file.`;
      return;
    }
    if (signal.aborted) return;
    words.textContent = value === null ? "Models of digits expect white on black: invert it if it is not." : "";
    pad.show(bitmap, value);
  }

  /** The pad has changed. */
  function update() {
    if (!pad.hasPicture) words.textContent = pad.empty ? "Draw here with mouse, finger or pen; or choose a digit or a file." : "";
    invert.disabled = !pad.hasPicture;
    buttons.forEach((button, value) => button.setAttribute("aria-pressed", String(value === pad.mark)));
  }

  input.onchange = () => {
    if (input.files.length) show(input.files[0], null, input.files[0].name);
    input.value = ""; // the same file may be chosen again
  };
  const over = (on) => pad.element.toggleAttribute("data-over", on);
  const dropped = (event) => [...(event.dataTransfer?.items ?? [])].some((item) => item.kind === "file");
  addEventListener(
    "dragover",
    (event) => {
      if (!dropped(event)) return;
      event.preventDefault();
      over(true);
    },
    { signal },
  );
  addEventListener("dragleave", () => over(false), { signal });
  addEventListener(
    "drop",
    (event) => {
      over(false);
      if (!dropped(event)) return;
      event.preventDefault(); // or the browser leaves the page for the file
      const [first] = event.dataTransfer.files;
      show(first, null, first.name);
    },
    { signal },
  );

  return {
    words,
    file: h("span.sketch-file", {}, file, input),
    invert,
    digits: h("div.sketch-digits", { role: "group", "aria-label": "Digits to choose from" }, ...buttons),
    update,
    /** Begins with what an address says. */
    async open({ digit: wanted, picture }) {
      const given = picture && (await fromAddress(picture));
      if (given) return show(given);
      return take(DIGITS[wanted] ? wanted : FIRST);
    },
    /** A picture file as a part of an address; null if it has no room there. */
    async inAddress(blob) {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      return text.length > LONGEST ? null : text;
    },
  };
}

function fromAddress(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new Blob([Uint8Array.from(binary, (character) => character.charCodeAt(0))], { type: "image/png" });
  } catch {
    return null; // somebody has cut it
  }
}
