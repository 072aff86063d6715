/** The page's icons: strokes on a grid of 24, in the colour of their text. Each stands beside or instead of words. */

import { s } from "./dom.js";

const PATHS = {
  lock: "M6 11h12v9H6z M9 11V7.5a3 3 0 0 1 6 0V11",
  unlock: "M6 11h12v9H6z M9 11V7.5a3 3 0 0 1 5.8-1",
  dice: "M6 4.5h12a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 18V6A1.5 1.5 0 0 1 6 4.5z M8.7 8.7v.01 M15.3 8.7v.01 M12 12v.01 M8.7 15.3v.01 M15.3 15.3v.01",
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M9 5.5v13 M15 5.5v13",
  key: "M8.5 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M11.5 12.5 20 4 M16.5 7.5l2.5 2.5 M13.8 10.2l2 2",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2.5v2 M12 19.5v2 M2.5 12h2 M19.5 12h2 M5.3 5.3l1.4 1.4 M17.3 17.3l1.4 1.4 M18.7 5.3l-1.4 1.4 M6.7 17.3l-1.4 1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  half: "M12 4a8 8 0 1 0 0 16z M12 4a8 8 0 0 1 0 16",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7L12 6.3 M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  save: "M12 4v11 M7.5 10.5 12 15l4.5-4.5 M5 19.5h14",
  copy: "M9 9h10.5v10.5H9z M5 15H4.5V4.5H15V5",
  close: "M6 6l12 12 M18 6 6 18",
  brush: "M14 10 20 4 M14.5 13.5l-4-4-3.5 3.5c-1.5 1.5-.5 4-4 5.5 2 1.5 6 1.5 8-.5z",
  eraser: "M9 19.5 4 14.5l9-9 6.5 6.5-7.5 7.5z M8.5 10l6.5 6.5 M9 19.5h11",
  star: "M12 4l2.5 5.1 5.6.8-4 3.9.9 5.6-5-2.6-5 2.6.9-5.6-4-3.9 5.6-.8z",
  swap: "M7 8h12l-3.5-3.5 M17 16H5l3.5 3.5",
};

/** An icon that assistive technology does not see. */
export function icon(name) {
  return s("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}
