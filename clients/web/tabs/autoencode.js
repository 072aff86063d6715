/** Autoencode: a digit is drawn, and a model draws it again, or goes on from its upper half. */

import { boxesOf } from "../parts/boxes.js";
import { decode } from "../parts/canvas.js";
import { classField } from "../parts/class.js";
import { codePanel } from "../parts/code-panel.js";
import { controlSliders } from "../parts/controls.js";
import { field, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { modelCard, modelPicker } from "../parts/model.js";
import { range } from "../parts/range.js";
import { seedField } from "../parts/seed.js";
import { likelihoodPanel } from "./autoencode-likelihood.js";
import { drawingPad } from "./autoencode-pad.js";
import { redrawStage } from "./autoencode-stage.js";
import { abilities, tasksOf } from "./autoencode-tasks.js";
import { choosing } from "./autoencode-choose.js";

const SAMPLES = 8; // by default: two rows
const MOST = 16;
// Of a likelihood: for a bound many enough to be tight to a nat or two, few enough to be there at once; an estimate
// asks a network a hundred times for each.
const DRAWS = { exact: 1, bound: 16, estimate: 2 };

export function mount(root, context) {
  const { params, signal } = context;
  const number = (name) => (/^[0-9]{1,16}$/.test(params.get(name) ?? "") ? Number(params.get(name)) : null);

  const picker = modelPicker({ models: able(context.models), value: params.get("model"), onChange: () => suit() });
  const task = h("select", { onchange: redraw });
  const thickness = range({ label: "Thickness", min: 1, max: 6, value: 3 });
  const pad = drawingPad({ thickness: () => thickness.value, onChange: changed, signal });
  const choose = choosing({ pad, signal });
  const undo = h("button", { type: "button", onclick: pad.undo, "aria-keyshortcuts": "Control+Z" }, "Undo");
  const clear = h("button", { type: "button", onclick: pad.clear }, icon("eraser"), "Clear");
  const fit = h("input", { type: "checkbox", checked: true, onchange: redraw });
  const samples = range({ label: "Drawings", min: 1, max: MOST, value: number("samples") ?? SAMPLES, onChange: redraw });
  const steps = range({ label: "Steps", min: 1, max: 1, value: 1, onChange: redraw });
  const controls = controlSliders(redraw);
  const seed = seedField({ value: number("seed"), onChange: () => run(seed.value) });
  const go = h("button.primary", { type: "button", onclick: redraw }, icon("brush"), "Draw it again");
  const classPlace = h("div", {});
  let label = { element: null, value: null, set: () => {} };
  const others = h("p.hint", {}, "");
  const card = modelCard(context.describe);
  const stage = redrawStage(signal);
  const likelihood = likelihoodPanel();
  const code = codePanel(context);
  let running = null; // the AbortController of the drawing under way

  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Autoencode"),
      h("p", {}, "Draw a digit. The model keeps of it what its latent can hold, and draws it again from that: each time another."),
    ),
    h(
      "div.columns",
      {},
      h(
        "section.panel.sketch",
        { "aria-label": "Your picture" },
        picker.element,
        h("div.sketch-pad", {}, pad.element, h("div.sketch-tools", {}, undo, clear, choose.file, choose.invert)),
        choose.words,
        choose.digits,
      ),
      h("div.stage", {}, stage.element, likelihood.element, code.element),
      h(
        "div.columns-more.redraw-more",
        {},
        h(
          "section.panel",
          { "aria-label": "How it is drawn" },
          field("What the model does", task),
          classPlace,
          h("div.pair", {}, samples.element, steps.element),
          controls.element,
          seed.element,
          thickness.element,
          h("label.check", {}, fit, h("span", {}, "Size and centre my strokes as MNIST's digits are")),
          go,
          others,
        ),
        card.element,
      ),
    ),
  );

  /** Fits the controls to the model. */
  function suit(wanted = {}) {
    const model = picker.model;
    go.disabled = task.disabled = !model;
    others.textContent = abilities(context.models);
    if (!model) {
      stage.blank({ width: 28, height: 28 }, samples.value, "No model here takes a picture", "A bundle with an encoder can draw pictures again.");
      likelihood.element.hidden = true;
      return;
    }
    const tasks = tasksOf(model);
    const before = wanted.task ?? task.value;
    task.replaceChildren(...tasks.map(({ name, words }) => h("option", { value: name }, words)));
    task.value = tasks.some(({ name }) => name === before) ? before : tasks[0].name;
    const chosen = label.element ? label.value : (params.get("label") ?? pad.mark);
    label = classField(model, params, redraw);
    label.set(chosen);
    classPlace.hidden = !label.element;
    classPlace.replaceChildren(...(label.element ? [label.element] : []));
    steps.limit(model.steps.min, model.steps.max, wanted.steps ?? model.steps.default);
    controls.suit(model, wanted.controls);
    const detail = context.describe(model.name);
    likelihood.suit(
      model,
      detail.then(({ manifest }) => averageNats(manifest.provenance?.evaluation), () => undefined),
    );
    card.show(model).catch((error) => context.fail(error));
    redraw();
  }

  function changed() {
    choose.update();
    // A digit that is chosen says its class; of one that is drawn the list does.
    if (picker.model?.labels?.[pad.mark] === String(pad.mark)) label.set(pad.mark);
    redraw();
  }

  function redraw() {
    undo.disabled = !pad.canUndo;
    clear.disabled = pad.empty;
    fit.disabled = pad.hasPicture;
    const next = picker.model && !pad.empty ? seed.next() : null;
    if (next !== null) return run(next);
    running?.abort();
    if (!picker.model || !pad.empty) return;
    stage.blank(picker.model.image, samples.value, picker.model.name, "Draw a digit, or choose one.");
    likelihood.clear();
  }

  async function run(chosenSeed) {
    const model = picker.model;
    if (!model || pad.empty) return;
    running?.abort();
    const mine = (running = new AbortController());
    const ends = AbortSignal.any([signal, mine.signal]);
    const { request, what } = tasksOf(model).find(({ name }) => name === task.value);
    const asked = { model: model.name, seed: chosenSeed, fit: "resize", ...(label.element ? { label: label.value } : {}) };
    const given = pad.picture(model.image, fit.checked);
    const caption = `${model.name}, seed ${chosenSeed}`;
    const next = { image: model.image, boxes: boxesOf(model), n: samples.value, steps: steps.value, what, caption, picture: given };
    const turn = stage.begin(next, mine.signal);
    context.clear();
    try {
      const image = await given.convertToBlob();
      const picture = pad.mark === null ? await choose.inAddress(image) : null;
      if (ends.aborted) return;
      const drawn = { samples: samples.value, steps: steps.value, seed: chosenSeed };
      const chosen = controls.values;
      const shown = { label: label.value, digit: pad.mark, picture };
      context.setParams({ model: model.name, task: task.value, ...drawn, ...chosen, ...shown });
      const wanted = { ...asked, ...(await request(image, model.image, samples.value)), steps: steps.value, ...(chosen ? { controls: chosen } : {}) };
      code.offer(wanted);
      const [said, likely] = await Promise.all([
        draw(wanted, ends),
        model.likelihood_kind ? judge({ ...asked, images: [image] }, model, ends, turn) : "",
      ]);
      if (said) context.say([said, likely].filter(Boolean).join("; "));
    } catch (error) {
      if (ends.aborted) return;
      mine.abort(); // of the two requests the other, too
      const kept = await stage.stop();
      if (signal.aborted || running !== mine) return;
      if (!kept) likelihood.clear(); // what it says is of the picture before
      context.fail(error, redraw);
    }
  }

  async function draw(request, ends) {
    const drawing = request.mask
      ? context.client.streamComplete(request, { signal: ends })
      : context.client.streamAutoencode(request, { signal: ends });
    let last = null;
    for await (const frame of drawing) stage.add((last = frame));
    await stage.arrived();
    const given = await decode(drawing.end.input);
    if (!ends.aborted) stage.showGiven(given);
    given.close();
    if (!(await stage.end())) return "";
    const n = last.images.length;
    stage.facts.textContent = `${n} ${n === 1 ? "drawing" : "drawings"} in ${Math.max(1, Math.round(last.elapsedUs / 1000))} ms`;
    return `${request.model} made ${stage.facts.textContent}`;
  }

  /** Asks how likely the picture is, and says so when `turn` says that it is shown. */
  async function judge(request, model, ends, turn) {
    const importanceSamples = DRAWS[model.likelihood_kind] ?? 1;
    const { manifest } = await context.describe(model.name);
    const pixels = manifest.graphs.likelihood.outputs.some(({ name }) => name === "pixel_log_likelihood");
    const answer = await context.client.likelihood({ ...request, importanceSamples, pixels }, { signal: ends });
    await turn;
    return ends.aborted ? "" : likelihood.show(answer);
  }

  addEventListener(
    "keydown",
    (event) => {
      const typing = event.target.matches("input:not([type=range], [type=checkbox])");
      if (typing || event.shiftKey || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
      event.preventDefault();
      pad.undo();
    },
    { signal },
  );
  context.onModels((models) => {
    const before = picker.model;
    picker.update(able(models));
    const now = picker.model;
    if (!now || now.name !== before?.name || now.version !== before.version) suit();
  });
  const values = Object.fromEntries([...params].map(([name, text]) => [name, text === "" ? NaN : Number(text)]));
  suit({ steps: number("steps"), task: params.get("task"), controls: values });
  choose.open({ digit: number("digit"), picture: params.get("picture") });
}

/** The models that take a picture and draw; those with an encoder first. */
function able(models) {
  const encoder = (model) => Number(model.operations.includes("autoencode"));
  return models.filter((model) => tasksOf(model).length).sort((a, b) => encoder(b) - encoder(a));
}

/** Minus the log-likelihood of test images on the average, as the manifest has it: measured, or estimated. */
function averageNats(evaluation) {
  return (evaluation?.likelihood ?? evaluation?.likelihood_estimate)?.nats;
}
