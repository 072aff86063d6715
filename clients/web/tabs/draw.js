/** Draw: a model, a seed, and canvases that develop step by step as the frames arrive. */

import { controlSliders } from "../parts/controls.js";
import { field, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { modelCard, modelPicker } from "../parts/model.js";
import { range } from "../parts/range.js";
import { seedField } from "../parts/seed.js";
import { drawStage } from "./draw-stage.js";
import { saveBar } from "./draw-save.js";

const DRAWINGS = 12; // by default: two rows on a desk, four on a phone
const MOST = 24;
const NOBODY = "none";

export function mount(root, context) {
  const { params, signal } = context;
  const number = (name) => (/^[0-9]{1,16}$/.test(params.get(name) ?? "") ? Number(params.get(name)) : null);

  const picker = modelPicker({ models: drawing(context.models), value: params.get("model"), onChange: suit });
  const n = range({ label: "Canvases", min: 1, max: MOST, value: number("n") ?? DRAWINGS });
  const steps = range({ label: "Steps", min: 1, max: 1, value: 1 });
  const seed = seedField({ value: number("seed") });
  const controls = controlSliders();
  const label = h("select", {});
  const labelField = field("Class", label);
  const judge = h("select", {});
  const go = h("button.primary.draw-go", { type: "submit" }, icon("brush"), "Draw");
  const card = modelCard(context.describe);
  const bar = saveBar(context);
  const stage = drawStage(signal, bar.element);
  let running = null; // the AbortController of the drawing under way
  let finished = null; // request and version of the drawing that is shown, when all of it is

  const form = h(
    "form.panel",
    { "aria-label": "What to draw", novalidate: true },
    picker.element,
    h("div.pair", {}, steps.element, n.element),
    seed.element,
    labelField,
    controls.element,
    field("Judged by", judge),
    go,
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    draw();
    stage.element.scrollIntoView({ block: "nearest" }); // on a phone it is beneath the controls
  };
  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Draw"),
      h("p", {}, "These models build a picture in steps. Watch it develop, then go back and see what it was going to be."),
    ),
    h("div.columns", {}, form, stage.element, card.element),
  );

  /** Fits the controls to a model. */
  function suit(model, wanted = {}) {
    go.disabled = !model;
    if (!model) {
      stage.caption.textContent = "No model here draws";
      stage.facts.textContent = "Once a bundle is in the server's folder and was read, it can be picked.";
      return;
    }
    steps.limit(model.steps.min, model.steps.max, wanted.steps ?? model.steps.default);
    fillLabels(model, wanted.label);
    controls.suit(model, wanted.controls);
    fillJudges(model, wanted.judge);
    card.show(model).catch((error) => context.fail(error));
  }

  function fillLabels(model, wanted) {
    labelField.hidden = !model.labels;
    const names = model.labels ?? [];
    label.replaceChildren(
      h("option", { value: "" }, "One after another"),
      ...names.map((name, index) => h("option", { value: index }, name)),
    );
    label.value = names[wanted ?? -1] === undefined ? "" : String(wanted);
  }

  /** Scorers of pictures of the same shape, the model's own first. */
  function fillJudges(model, wanted) {
    const same = ({ image }) => ["channels", "height", "width"].every((side) => image[side] === model.image[side]);
    // A scorer of pairs judges pictures with its own latents, which those of another model are not.
    const others = context.models.filter(
      (other) => other.score_kind && !other.score_takes.length && other.name !== model.name && same(other),
    );
    const option = (value, text) => h("option", { value }, text);
    judge.replaceChildren(
      ...(model.score_kind ? [option(model.name, `its own ${model.score_kind}`)] : []),
      ...others.map((other) => option(other.name, `${other.name}'s ${other.score_kind}`)),
      option(NOBODY, "nobody"),
    );
    const usual = model.score_kind ? model.name : NOBODY;
    judge.value = wanted ?? usual;
    if (judge.selectedIndex < 0) judge.value = usual;
  }

  function asked() {
    const model = picker.model;
    const each = model.labels && label.value === "";
    return {
      model,
      n: n.value,
      steps: steps.value,
      seed: seed.value,
      judge: judge.value === NOBODY ? null : judge.value,
      label: model.labels ? label.value : "",
      controls: controls.values,
      labels: each ? Array.from({ length: n.value }, (_, index) => index % model.labels.length) : null,
    };
  }

  async function draw() {
    if (!picker.model || seed.next() === null) return;
    running?.abort();
    const mine = (running = new AbortController());
    const wanted = asked();
    const request = requestOf(wanted);
    context.clear();
    const caption = `${request.model}, seed ${wanted.seed}`;
    stage.begin({ ...wanted, labels: names(wanted), caption }, mine.signal);
    bar.offer(null);
    try {
      const stream = context.client.stream(request, { signal: AbortSignal.any([signal, mine.signal]) });
      for await (const frame of stream) {
        if (frame.step === 1) {
          finished = null;
          context.setParams(paramsOf(wanted)); // the address is that of what is shown
        }
        stage.add(frame);
      }
      finished = [request, stream.header.version];
      bar.offer(...finished);
      const said = await stage.end();
      if (said) context.say(said);
    } catch (error) {
      if (mine.signal.aborted || signal.aborted) return;
      await stage.stop();
      if (mine.signal.aborted || signal.aborted) return;
      bar.offer(...(finished ?? [null]));
      context.fail(error, draw);
    }
  }

  context.onModels((models) => {
    const before = picker.model;
    picker.update(drawing(models));
    const now = picker.model;
    if (!now || now.name !== before?.name || now.version !== before.version) suit(now);
  });
  const values = Object.fromEntries([...params].map(([name, text]) => [name, text === "" ? NaN : Number(text)]));
  suit(picker.model, { steps: number("steps"), label: number("label"), judge: params.get("judge"), controls: values });
  if (picker.model) draw();
}

/** The models that draw from nothing. */
function drawing(models) {
  return models.filter((model) => model.operations.includes("generate"));
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
