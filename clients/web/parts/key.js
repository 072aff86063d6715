/** The API key that some servers want: typed here, kept for as long as the browser's tab. */

import { h, newId } from "./dom.js";

const STORE = "pentimento.api-key";

/** The key that was typed, or null. */
export function storedKey() {
  try {
    return sessionStorage.getItem(STORE);
  } catch {
    return null;
  }
}

function store(key) {
  try {
    if (key) sessionStorage.setItem(STORE, key);
    else sessionStorage.removeItem(STORE);
  } catch {
    // A browser that keeps nothing: the key lasts until the page is left.
  }
}

/**
 * The dialog that asks for a key.
 *
 * @param {(key: string | null) => void} onChange Told of another key, or that there is none any more.
 */
export function keyDialog(onChange) {
  const id = newId("key");
  const input = h("input", { type: "password", id, autocomplete: "off", spellcheck: "false" });
  const why = h("p", {});
  const forget = h("button", { type: "button" }, "Forget it");
  const cancel = h("button", { type: "button" }, "Cancel");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: `${id}-title` }, "API key"),
    why,
    h("div.field", {}, h("label", { htmlFor: id }, "Key"), input),
    h("p.hint", {}, "It is sent to this server alone, and forgotten when this browser tab is closed."),
    // What a browser holds secure: https, or a page of this machine.
    window.isSecureContext ? null : h("p.hint", {}, "It goes there unencrypted: whoever is on the way can read and use it."),
    h("div.dialog-tools", {}, forget, cancel, h("button.primary", { type: "submit" }, "Use this key")),
  );
  const dialog = h("dialog", { "aria-labelledby": `${id}-title` }, form);

  function finish(key) {
    store(key);
    dialog.close();
    onChange(key);
  }
  form.onsubmit = (event) => {
    event.preventDefault();
    const key = input.value.trim();
    const sound = /^[!-~]+$/.test(key); // what a header can hold
    input.setCustomValidity(sound ? "" : "A key has visible characters of ASCII, and no spaces.");
    if (sound) finish(key);
    else input.reportValidity();
  };
  input.oninput = () => input.setCustomValidity("");
  forget.onclick = () => finish(null);
  cancel.onclick = () => dialog.close();

  return {
    element: dialog,
    /** @param {string} reason Why it is asked for. */
    open(reason) {
      why.textContent = reason;
      input.value = "";
      forget.hidden = storedKey() === null;
      if (!dialog.open) dialog.showModal();
      input.focus();
    },
  };
}
