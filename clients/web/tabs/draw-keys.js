/** Keys of a drawing: while the mouse is over it or the focus within, so that they are nobody else's. */

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {AbortSignal} options.signal Of the tab.
 * @param {(key: string) => boolean} options.press Tries a letter; whether it was one of its own.
 * @param {(by: number) => void} options.move Goes some steps on.
 */
export function stageKeys({ element, signal, press, move }) {
  let over = false;
  element.addEventListener("pointerenter", () => (over = true));
  element.addEventListener("pointerleave", () => (over = false));
  document.addEventListener("keydown", onKey, { signal });

  function onKey(event) {
    const { target, key } = event;
    const within = element.contains(target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !(within || over)) return;
    if (target.closest?.("select, textarea, dialog, input:not([type=range], [type=radio], [type=checkbox])")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (by && within && !target.closest("input, pre")) move(by);
    else if (key.length !== 1 || !press(key)) return;
    event.preventDefault();
  }
}
