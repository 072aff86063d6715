/** One notice at the foot of the page: what went wrong, and what to do. It moves nothing when it comes or goes. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @param {HTMLElement} root Where notices appear.
 */
export function noticeBoard(root) {
  let timer = null;
  let standing = null; // what is shown until it is dismissed or cleared, and again when news has gone

  function clear() {
    clearTimeout(timer);
    standing = null;
    root.replaceChildren();
  }

  function goOn() {
    clearTimeout(timer);
    if (standing) fill(standing);
    else root.replaceChildren();
  }

  function fill({ title, detail = "", kind = "error", action = null }) {
    const tools = h("div.notice-tools", {});
    if (action) {
      const run = () => {
        clear();
        action.run();
      };
      tools.append(h("button", { type: "button", onclick: run }, action.label));
    }
    const dismiss = () => (standing?.title === title ? clear() : goOn());
    tools.append(h("button.icon.quiet", { type: "button", "aria-label": "Dismiss", onclick: dismiss }, icon("close")));
    const text = h("p", {}, h("strong", {}, title), detail);
    const role = kind === "error" ? "alert" : "status";
    root.replaceChildren(h("div.notice", { role, "data-kind": kind }, text, tools));
  }

  return {
    clear,
    /**
     * @param {{ title: string, detail?: string, kind?: "error" | "info", action?: { label: string, run: () => void } }} notice
     *   News of kind "info" goes away by itself, unless there is something to do.
     */
    show(notice) {
      // Two that failed for one reason, and one of them can be tried again: that stays on offer.
      if (standing?.action && !notice.action && standing.title === notice.title) return;
      clearTimeout(timer);
      fill(notice);
      if (notice.kind === "info" && !notice.action) timer = setTimeout(goOn, 4000);
      else standing = notice;
    },
  };
}
