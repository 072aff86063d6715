/**
 * The tabs, in the order of the navigation. A tab is a module `NAME.js` and a stylesheet `NAME.css` beside it;
 * README.md says what it exports.
 */

export const TABS = [
  { name: "draw", title: "Draw", load: () => import("./draw.js") },
  { name: "server", title: "Server", load: () => import("./server.js") },
];
