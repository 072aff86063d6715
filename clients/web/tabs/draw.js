/** Draw: a model, a seed, and canvases that develop step by step as the frames arrive. */

import { codePanel } from "../parts/code-panel.js";
import { h } from "../parts/dom.js";
import { modelCard } from "../parts/model.js";
import { realScore } from "../parts/real.js";
import { drawForm } from "./draw-form.js";
import { NOBODY, readLink } from "./draw-link.js";
import { changeNote } from "./draw-note.js";
import { saveBar } from "./draw-save.js";
import { drawingShelf } from "./draw-shelf.js";
import { drawStage } from "./draw-stage.js";

const REST_MS = 250; // after a change of the controls, before it is drawn

let open = null; // what the shell may ask of the tab that is shown

export function mount(root, context) {
  const { signal } = context;
  const card = modelCard(context.describe);
  const bar = saveBar(context);
  const code = codePanel(context);
  const stage = drawStage(signal, bar.element);
  const note = changeNote();
  const shelf = drawingShelf();
  const real = new Map(); // promises of what judges say of real pictures, by the judge's name
  let running = null; // the AbortController of the drawing under way
  let finished = null; // request and version of the drawing that is shown, when all of it is
  let shown = null; // the settings of the drawing that is shown
  let timer = null;

  const begun = readLink(context.params, context.models);
  const form = drawForm({ models: () => context.models, wanted: begun.wanted, onModel: suit, onChange: changed, onDraw: submit });
  stage.element.prepend(note.element);
  stage.element.append(code.element);
  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Draw"),
      h("p", {}, "These models build a picture in steps. Watch it develop, then go back and see what it was going to be."),
    ),
    h("div.columns", {}, form.element, stage.element, h("div.columns-more.draw-more", {}, shelf.element, card.element)),
  );
  signal.addEventListener("abort", () => clearTimeout(timer));

  function suit(model) {
    if (model) return card.show(model).catch((error) => context.fail(error));
    stage.caption.textContent = "No model here draws";
    stage.facts.textContent = "Once a bundle is in the server's folder and was read, it can be picked.";
  }

  function submit() {
    draw();
    stage.element.scrollIntoView({ block: "nearest" }); // on a phone it is beneath the controls
  }

  /** Somebody has changed a setting: that is drawn, from the same seed, when they have come to rest. */
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(() => draw({ seed: form.seed.keep() }), REST_MS);
  }

  /**
   * Draws what the controls say.
   *
   * @param {object} [options]
   * @param {number | null} [options.seed] null: that which is typed is none, and nothing is drawn.
   * @param {boolean} [options.linked] Whether the address says it already.
   */
  async function draw({ seed = form.seed.next(), linked = false } = {}) {
    clearTimeout(timer);
    if (!form.model || seed === null) return compareSettings();
    running?.abort();
    const mine = (running = new AbortController());
    const wanted = form.asked();
    const request = requestOf(wanted);
    context.clear();
    const caption = `${request.model}, seed ${wanted.seed}`;
    stage.begin({ ...wanted, labels: names(wanted), caption }, mine.signal);
    bar.offer(null);
    try {
      const stream = context.client.stream(request, { signal: AbortSignal.any([signal, mine.signal]) });
      for await (const frame of stream) {
        if (frame.step === 1) {
          if (!linked) note.clear();
          address(wanted, linked || !shown); // the address is that of what is shown
          code.offer(request);
          compare(wanted.judge);
          finished = null;
          shown = wanted;
        }
        stage.add(frame);
      }
      finished = [request, stream.header.version];
      bar.offer(...finished);
      const said = await stage.end();
      if (!said) return;
      context.say(said);
      shelf.add({ address: context.hashOf(paramsOf(wanted)), title: caption, bitmaps: stage.finished() });
    } catch (error) {
      if (mine.signal.aborted || signal.aborted) return;
      await stage.stop();
      if (mine.signal.aborted || signal.aborted) return;
      bar.offer(...(finished ?? [null]));
      compareSettings();
      context.fail(error, () => draw({ seed: form.seed.keep() }));
    }
  }

  /** Says that the picture is of other settings, where it is and nothing else comes. */
  function compareSettings() {
    if (shown && form.model && addressOf(form.asked()) !== addressOf(shown)) stage.otherSettings();
  }

  const addressOf = (settings) => context.hashOf(paramsOf(settings));

  function address(settings, replace) {
    const write = replace ? context.setParams : context.pushParams;
    write(paramsOf(settings));
    shelf.mark(addressOf(settings));
  }

  /** Shows what the judge says of real pictures, asked for once a judge. Without it the curves say less. */
  function compare(name) {
    if (!name) return;
    if (!real.has(name)) real.set(name, realScore(context, name, signal).catch(() => real.delete(name) && null));
    real.get(name).then((found) => signal.aborted || stage.compare(name, found));
  }

  /** Draws what an address says: of a link, or of the browser's back and forward. */
  function go(params) {
    const { wanted, changed: sentences } = readLink(params, context.models);
    form.set(wanted);
    start(sentences, wanted);
  }

  function start(sentences, wanted) {
    note.show(sentences);
    if (sentences.length) context.say(sentences.join(" "));
    if (wanted.model) draw({ linked: true, ...(wanted.seed === null ? {} : { seed: wanted.seed }) });
  }

  context.onModels(() => {
    real.clear();
    if (form.update()) compareSettings();
  });
  open = { go };
  start(begun.changed, begun.wanted);
}

/** Another address of this tab: it draws that, in its place. */
export function go(params) {
  open.go(params);
}

/** What the server is asked, whatever the format of its answer. */
function requestOf({ model, n, steps, seed, judge, label, labels, controls }) {
  return {
    model: model.name,
    n,
    steps,
    seed,
    ...(judge ? { scoreBy: judge } : {}),
    ...(labels ? { labels } : {}),
    ...(controls ? { controls } : {}),
    ...(label === "" ? {} : { label: Number(label) }),
  };
}

/** The address that draws the same again. */
function paramsOf({ model, n, steps, seed, judge, label, controls }) {
  return { model: model.name, n, steps, seed, judge: judge ?? NOBODY, label: label || null, ...controls };
}

/** What each canvas was asked to be, by name. */
function names({ model, n, label, labels }) {
  if (!model.labels) return null;
  return Array.from({ length: n }, (_, index) => model.labels[labels ? labels[index] : Number(label)]);
}
