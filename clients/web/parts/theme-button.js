/** The theme: the system's, or light or dark, kept in the browser. `theme.js` sets it before the first paint. */

import { icon } from "./icons.js";

const ORDER = ["system", "light", "dark"];
const ICONS = { system: "half", light: "sun", dark: "moon" };
const STORE = "pentimento.theme";

function current() {
  return document.documentElement.dataset.theme ?? "system";
}

/** Goes on to the next theme and returns its name. */
export function nextTheme() {
  const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(STORE, next);
  } catch {
    // A browser that keeps nothing: the theme lasts until the page is left.
  }
  return next;
}

/** Shows on a button which theme it is. */
export function showTheme(button, theme = current()) {
  button.replaceChildren(icon(ICONS[theme]));
  button.setAttribute("aria-label", `Theme: ${theme}. Change it`);
  button.title = `Theme: ${theme}`;
}
