/** What of a link could not be had, and what was taken instead. */

import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";

export function changeNote() {
  const list = h("ul", {});
  const close = h("button.icon.quiet", { type: "button", "aria-label": "Dismiss the note on the link", onclick: clear }, icon("close"));
  const element = h(
    "section.panel.draw-note",
    { "aria-label": "What the link could not have", hidden: true },
    h("div", {}, h("h2", {}, "Not all of this link can be drawn"), list),
    close,
  );

  function clear() {
    element.hidden = true;
  }

  return {
    element,
    clear,
    /** @param {string[]} sentences None hides it. */
    show(sentences) {
      list.replaceChildren(...sentences.map((sentence) => h("li", {}, sentence[0].toUpperCase() + sentence.slice(1))));
      element.hidden = !sentences.length;
    },
  };
}
