/** Explore: what the noise of a model means, in five ways. */

import { codePanel } from "../parts/code-panel.js";
import { h } from "../parts/dom.js";
import { modelCard, modelPicker } from "../parts/model.js";
import * as between from "./explore-between.js";
import * as classes from "./explore-classes.js";
import * as levels from "./explore-levels.js";
import * as map from "./explore-map.js";
import * as pictures from "./explore-pictures.js";

/**
 * Each has a `title`, a `sentence`, `suits(model)`, and `open({ context, model, params, signal, controls, stage, reveal,
 * remember })`, which fills `controls` and `stage` until `signal` is aborted, and calls `reveal()` when the first picture
 * is there: until then the stage before stays. `remember({…})` writes into the address.
 */
const WAYS = { between, pictures, map, levels, classes };
const WRITE_MS = 250; // browsers refuse an address that changes with every move of a pointer

export function mount(root, context) {
  const picker = modelPicker({ models: [], value: null, onChange: show });
  const card = modelCard(context.describe);
  const code = codePanel(context);
  const controls = h("div.explore-controls", {});
  let stage = h("div.stage", {});
  const radios = Object.entries(WAYS).map(([name, way]) => {
    const radio = h("input", { type: "radio", name: "way", value: name, onchange: () => choose(name) });
    const text = h("span", {}, h("strong", {}, way.title), h("span.hint", {}, way.sentence));
    return { name, radio, element: h("label.explore-way", {}, radio, text) };
  });
  let params = context.params;
  let way = null;
  let writing = null; // the timer of the address
  let shown = null; // { ended, model } of the way that is open
  const suited = (name) => context.models.filter((model) => model.operations.includes("generate") && WAYS[name].suits(model));

  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Explore"),
      h("p", {}, "A model turns noise into a picture. Move through the noise, and see what it stands for."),
    ),
    h(
      "div.columns",
      {},
      h(
        "form.panel",
        { "aria-label": "What to explore", novalidate: true, onsubmit: (event) => event.preventDefault() },
        h("fieldset.explore-ways", {}, h("legend", {}, "What to explore"), ...radios.map(({ element }) => element)),
        picker.element,
        controls,
      ),
      h("div.stage", {}, stage, code.element),
      card.element,
    ),
  );

  /** Opens a way with a model that suits it. */
  function choose(name, wanted = picker.model?.name ?? null) {
    way = name;
    radios.find((entry) => entry.name === name).radio.checked = true;
    picker.update(suited(name), wanted);
    show(picker.model);
  }

  function show(model) {
    shown?.ended.abort();
    const mine = (shown = { ended: new AbortController(), model });
    controls.replaceChildren();
    const next = h("div.stage", {});
    const reveal = () => {
      if (mine !== shown || stage === next) return;
      stage.replaceWith(next);
      stage = next;
    };
    // Something to look at stays until the first picture is here, for that may never come; but it is for looking only.
    if (!model || !stage.childElementCount) reveal();
    else stage.inert = true;
    if (!model) {
      stage.append(h("section.panel", {}, h("h2", {}, "No model here can be explored"), h("p.hint", {}, nothing())));
      return;
    }
    WAYS[way].open({
      context: Object.create(context, { asked: { value: code.offer } }), // told of a picture that is drawn
      model,
      params,
      signal: AbortSignal.any([context.signal, mine.ended.signal]),
      controls,
      stage: next,
      reveal,
      remember(own) {
        const all = { way, model: model.name, ...own };
        params = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== null));
        clearTimeout(writing);
        writing = setTimeout(() => context.setParams(all), WRITE_MS);
      },
    });
    card.show(model).catch((error) => context.fail(error));
  }

  /** Ways that no model here has cannot be chosen; when models come or go, what is shown stays if it can. */
  function fit() {
    for (const { name, radio } of radios) radio.disabled = !suited(name).length;
  }

  context.signal.addEventListener("abort", () => clearTimeout(writing)); // by then it is another tab's
  context.onModels(() => {
    fit();
    const before = shown.model;
    picker.update(suited(way));
    const now = picker.model;
    if (!now || now.name !== before?.name || now.version !== before.version) show(now);
  });
  fit();
  const wanted = params.get("way");
  const first = Object.keys(WAYS).find((name) => suited(name).length) ?? "between";
  choose(WAYS[wanted] && suited(wanted).length ? wanted : first, params.get("model"));
}

function nothing() {
  return "Once a bundle whose noise is known by name is in the server's folder and was read, it can be picked.";
}
