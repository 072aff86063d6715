/**
 * The tabs, in the order of the navigation. A tab is a module `NAME.js` and a stylesheet `NAME.css` beside it;
 * README.md says what it exports.
 */

export const TABS = [
  { name: "draw", title: "Draw", load: () => import("./draw.js") },
  { name: "autoencode", title: "Autoencode", load: () => import("./autoencode.js") },
  { name: "explore", title: "Explore", load: () => import("./explore.js") },
  { name: "arena", title: "Arena", load: () => import("./arena.js") },
  { name: "server", title: "Server", load: () => import("./server.js") },
];
