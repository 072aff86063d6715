/** What can be done with a drawing: link to it, or have the server draw it again into a file or at an address. */

import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { storedKey } from "../parts/key.js";

const SCALE = 4; // pixels of a picture for each pixel of a canvas

const FORMATS = [
  { name: "PNG strip", accept: "image/png", ending: "png", scaled: true },
  { name: "GIF", accept: "image/gif", ending: "gif", scaled: true },
  { name: "NPY", accept: "application/x-npy", ending: "npy", scaled: false },
];

export function saveBar(context) {
  let request = null; // of the drawing that is shown
  const link = h("button", { type: "button", onclick: copy }, icon("link"), "Copy link");
  const address = h("a.button", { target: "_blank", rel: "noopener" }, icon("link"), "Address");
  const buttons = [
    link,
    ...FORMATS.map((format) => h("button", { type: "button", onclick: () => save(format) }, icon("save"), format.name)),
  ];

  async function copy() {
    try {
      await navigator.clipboard.writeText(location.href);
      context.tell("The link is copied", "It opens this page and draws the same again.");
    } catch {
      // Only pages over https or of this machine may write to the clipboard.
      context.tell("The address of this page is the link", "Copy it from the browser's address bar.");
    }
  }

  async function save({ name, accept, ending, scaled }) {
    const wanted = request;
    try {
      const file = await context.client.file({ ...wanted, ...(scaled ? { scale: SCALE } : {}) }, accept, { signal: context.signal });
      const url = URL.createObjectURL(file);
      h("a", { href: url, download: `${wanted.model}-${wanted.seed}.${ending}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser has begun to read it by then
      context.say(`${name} is saved`);
    } catch (error) {
      context.fail(error, () => save({ name, accept, ending, scaled }));
    }
  }

  /**
   * @param {object | null} next The request of the drawing that is shown.
   * @param {string} [version] Of the model that drew it.
   */
  function offer(next, version) {
    request = next;
    address.hidden = storedKey() !== null; // a link cannot send one
    address.setAttribute("aria-disabled", String(next === null));
    if (next === null) address.removeAttribute("href");
    else address.href = context.client.address({ ...next, version, scale: SCALE }, "png");
    for (const button of buttons) button.disabled = next === null;
  }

  offer(null);
  return { element: h("div.draw-save", { role: "group", "aria-label": "This drawing" }, ...buttons, address), offer };
}
