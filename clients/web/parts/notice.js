/** One notice at the foot of the page: what went wrong, and what to do. It moves nothing when it comes or goes. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @param {HTMLElement} root Where notices appear.
 */
export function noticeBoard(root) {
  let timer = null;

  function clear() {
    clearTimeout(timer);
    root.replaceChildren();
  }

  return {
    clear,
    /**
     * @param {{ title: string, detail?: string, kind?: "error" | "info", action?: { label: string, run: () => void } }} notice
     *   News of kind "info" goes away by itself.
     */
    show({ title, detail = "", kind = "error", action = null }) {
      clearTimeout(timer);
      const tools = h("div.notice-tools", {});
      if (action) {
        const run = () => {
          clear();
          action.run();
        };
        tools.append(h("button", { type: "button", onclick: run }, action.label));
      }
      tools.append(h("button.icon.quiet", { type: "button", "aria-label": "Dismiss", onclick: clear }, icon("close")));
      const text = h("p", {}, h("strong", {}, title), detail);
      const role = kind === "error" ? "alert" : "status";
      root.replaceChildren(h("div.notice", { role, "data-kind": kind }, text, tools));
      if (kind === "info") timer = setTimeout(clear, 4000);
    },
  };
}
