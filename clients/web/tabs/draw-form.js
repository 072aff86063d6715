/** The controls of the Draw tab: which model, how many steps and canvases, from which seed, judged by whom. */

import { controlSliders } from "../parts/controls.js";
import { field, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { modelPicker } from "../parts/model.js";
import { range } from "../parts/range.js";
import { seedField } from "../parts/seed.js";
import { drawing, judgesOf, MOST, NOBODY } from "./draw-link.js";

/**
 * @param {object} options
 * @param {() => object[]} options.models All that are served, now.
 * @param {object} options.wanted What it begins with, from `readLink`.
 * @param {(model: object | null) => void} options.onModel Told which model the controls fit.
 * @param {() => void} options.onChange Told when somebody has changed something.
 * @param {() => void} options.onDraw Told when somebody wants a drawing.
 */
export function drawForm({ models, wanted, onModel, onChange, onDraw }) {
  const picker = modelPicker({ models: drawing(models()), value: wanted.model?.name ?? null, onChange: picked });
  const n = range({ label: "Canvases", min: 1, max: MOST, value: wanted.n ?? 1, onChange });
  const steps = range({ label: "Steps", min: 1, max: 1, value: 1, onChange });
  const seed = seedField({ value: wanted.seed ?? null, onChange });
  const controls = controlSliders(onChange);
  const label = h("select", { onchange: onChange });
  const labelField = field("Class", label);
  const judge = h("select", { onchange: onChange });
  const go = h("button.primary.draw-go", { type: "submit" }, icon("brush"), "Draw");
  const element = h(
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
  element.onsubmit = (event) => {
    event.preventDefault();
    onDraw();
  };

  function picked(model) {
    suit(model);
    onChange();
  }

  /** Fits the controls to a model. */
  function suit(model, values = {}) {
    go.disabled = !model;
    onModel(model);
    if (!model) return;
    steps.limit(model.steps.min, model.steps.max, values.steps ?? model.steps.default);
    fillLabels(model, values.label);
    controls.suit(model, values.controls);
    fillJudges(model, values.judge);
  }

  function fillLabels(model, value) {
    labelField.hidden = !model.labels;
    const names = model.labels ?? [];
    label.replaceChildren(
      h("option", { value: "" }, "One after another"),
      ...names.map((name, index) => h("option", { value: index }, name)),
    );
    label.value = names[value ?? -1] === undefined ? "" : String(value);
  }

  /** Scorers of pictures of the same shape, the model's own first. */
  function fillJudges(model, value) {
    const option = (name, text) => h("option", { value: name }, text);
    judge.replaceChildren(
      ...(model.score_kind ? [option(model.name, `its own ${model.score_kind}`)] : []),
      ...judgesOf(model, models()).map((other) => option(other.name, `${other.name}'s ${other.score_kind}`)),
      option(NOBODY, "nobody"),
    );
    const usual = model.score_kind ? model.name : NOBODY;
    judge.value = value ?? usual;
    if (judge.selectedIndex < 0) judge.value = usual;
  }

  suit(picker.model, wanted);
  return {
    element,
    get model() {
      return picker.model;
    },
    seed,
    /** Sets everything to what a link says; a link's seed is kept. */
    set(values) {
      if (!values.model) return;
      picker.set(values.model.name);
      n.limit(1, MOST, values.n);
      if (values.seed !== null) seed.set(values.seed, true);
      else seed.set(seed.value, false);
      suit(values.model, values);
    },
    /** The models were read anew: whether another one, or another version, is chosen now. */
    update() {
      const before = picker.model;
      picker.update(drawing(models()));
      const now = picker.model;
      const same = now && now.name === before?.name && now.version === before.version;
      if (!same) suit(now);
      return !same;
    },
    /** What is asked for, as the controls stand. */
    asked() {
      const model = picker.model;
      const each = model.labels && label.value === "";
      return {
        model,
        n: n.value,
        steps: steps.value,
        seed: seed.value,
        judge: judge.value === NOBODY ? null : judge.value,
        judgeKind: models().find(({ name }) => name === judge.value)?.score_kind ?? null,
        label: model.labels ? label.value : "",
        controls: controls.values,
        labels: each ? Array.from({ length: n.value }, (_, index) => index % model.labels.length) : null,
      };
    },
  };
}
