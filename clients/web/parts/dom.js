/** Elements in one expression; the whole of the page's "framework". */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element: h("button.primary", { onclick, "aria-pressed": "true" }, "Draw").
 *
 * @param {string} selector Tag, then classes: "div.panel".
 * @param {Record<string, unknown>} [attributes] `on…` functions and properties that HTML has no attribute for
 *   are set as properties; true sets an attribute without a value; null, undefined and false leave it out.
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  return filled(document.createElement(tag), classes, attributes, children);
}

/** The same for SVG: s("path.curve", { d }). */
export function s(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  return filled(document.createElementNS(SVG, tag), classes, attributes, children);
}

function filled(element, classes, attributes, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") || name === "value" || name === "htmlFor") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let ids = 0;

/** An id that nothing else on the page has, for labels and descriptions. */
export function newId(stem = "id") {
  ids += 1;
  return `${stem}-${ids}`;
}

/**
 * A label above a control, with room at its right for what it is set to.
 *
 * @param {string} text
 * @param {HTMLElement} control Gets an id if it has none.
 * @param {Node | null} [aside]
 */
export function field(text, control, aside = null) {
  control.id ||= newId("field");
  return h("div.field", {}, h("label", { htmlFor: control.id }, h("span", {}, text), aside), control);
}

/** Lets the page catch up: resolves with the next frame that is painted, or soon where none is. */
export function nextPaint() {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, 100); // a hidden page paints nothing
    requestAnimationFrame(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
