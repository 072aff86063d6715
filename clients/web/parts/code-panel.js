/** "Use in code": what the page has asked for, in the words of five programs, to be copied. */

import { h, newId } from "./dom.js";
import { icon } from "./icons.js";
import { storedKey } from "./key.js";

/** @param {object} context Of the tab. */
export function codePanel(context) {
  const group = newId("language");
  const choice = h("fieldset.view-choice", {}, h("legend.visually-hidden", {}, "For which program"));
  const code = h("code", {}, "");
  const place = h("pre.code", { tabindex: "0", role: "region", "aria-label": "Code" }, code);
  const hint = h("p.hint", {}, "Nothing is drawn yet.");
  const copy = h("button", { type: "button", disabled: true, onclick: take }, icon("copy"), "Copy");
  const body = h("div.code-body", {}, h("div.code-head", {}, choice, copy), place, hint);
  const element = h("details.panel.code-panel", {}, h("summary", {}, "Use in code"), body);
  let all = [];
  let chosen = 0;

  function show() {
    const { text, hint: words, name } = all[chosen];
    code.textContent = text;
    hint.textContent = words;
    place.setAttribute("aria-label", `Code for ${name}`);
  }

  function fill() {
    if (choice.querySelector("input")) return;
    all.forEach(({ name }, index) => {
      const input = h("input", { type: "radio", name: group, value: index, checked: index === chosen });
      input.onchange = () => {
        chosen = index;
        show();
      };
      choice.append(h("label.view", {}, input, h("span", {}, name)));
    });
  }

  async function take() {
    const { text, name } = all[chosen];
    try {
      await navigator.clipboard.writeText(text);
      context.tell("Copied", `The request for ${name}.`);
      context.say(`Copied for ${name}`);
    } catch {
      // Only pages over https or of this machine may write to the clipboard.
      getSelection().selectAllChildren(code);
      context.tell("The code is selected", "Copy it with the keyboard or the menu: this page may not.");
    }
  }

  return {
    element,
    /** Says how the drawing that is shown is asked for: a request as the client takes it, pictures as Blobs. */
    async offer(request) {
      const files = await Promise.all(["image", "mask"].map((name) => request[name] && base64(request[name])));
      const { snippets } = await import("../tabs/snippets.js"); // not before there is something to be said
      copy.disabled = false;
      all = snippets({ ...request, image: files[0], mask: files[1] }, { url: context.at(""), keyed: storedKey() !== null });
      fill();
      show();
    },
  };
}

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
