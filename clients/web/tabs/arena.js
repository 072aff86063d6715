/** Arena: two models draw, and each one's scorer judges both, step by step. */

import { decode } from "../parts/canvas.js";
import { codePanel } from "../parts/code-panel.js";
import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { modelPicker } from "../parts/model.js";
import { pace, stepMs } from "../parts/pace.js";
import { range } from "../parts/range.js";
import { scrubber } from "../parts/scrubber.js";
import { seedField } from "../parts/seed.js";
import { judgeChart } from "./arena-chart.js";
import { arenaSide } from "./arena-side.js";
import { preference } from "./arena-statistics.js";
import { arenaTable } from "./arena-table.js";
import { DIGITS } from "./digits.js";

const DRAWINGS = 24; // of each, by default: with fewer most verdicts are undecided
const LEAST = 4;
const MOST = 36;

export function mount(root, context) {
  const { params, signal } = context;
  const number = (name) => (/^[0-9]{1,16}$/.test(params.get(name) ?? "") ? Number(params.get(name)) : null);

  const first = modelPicker({ models: contenders(context.models), value: params.get("a"), onChange: () => pair(), label: "One model" });
  const second = modelPicker({ models: [], value: null, onChange: () => fight(), label: "Its rival" });
  const swap = h("button", { type: "button", onclick: exchange }, icon("swap"), "Exchange them");
  const n = range({ label: "Drawings of each", min: LEAST, max: MOST, value: number("n") ?? DRAWINGS });
  const seed = seedField({ value: number("seed") });
  const go = h("button.primary", { type: "submit" }, icon("brush"), "Draw and judge");
  const facts = h("p.hint.arena-facts", {}, "");
  const sides = [arenaSide(), arenaSide()];
  const charts = [judgeChart(), judgeChart()];
  const table = arenaTable();
  const code = codePanel(context);
  const slider = scrubber({ onStep: show, signal });
  const drawings = h("div.arena-sides", {}, ...sides.map((side) => side.element));
  const judges = h("div.arena-judges", {}, ...charts.map((chart) => chart.element));
  const shownParts = [drawings, slider.element, judges, table.element]; // if there are two to meet
  let running = null; // the AbortController of the fight under way
  let asking = false; // whether nothing has come yet of the fight under way
  let before = ""; // the facts of what is shown, while something is asked for
  let bout = null; // what is shown: models, scores[drawer][judge][step - 1], bitmaps[drawer][step - 1], digits

  const form = h(
    "form.panel",
    { "aria-label": "Who meets whom", novalidate: true },
    first.element,
    second.element,
    swap,
    n.element,
    seed.element,
    go,
    h("p.hint", {}, "Offered are models that draw and have a scorer; as rivals those of pictures of the same size."),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    fight();
  };
  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Arena"),
      h("p", {}, "Two models draw, and the scorer that each was trained against judges both: who fools whom?"),
    ),
    h(
      "div.columns",
      {},
      form,
      h(
        "div.stage",
        {},
        h("section.panel", { "aria-label": "The drawings" }, facts, drawings, slider.element),
        judges,
        table.element,
        code.element,
      ),
    ),
  );

  /** Offers the rivals of the first model, and lets them meet. */
  function pair(wanted = second.model?.name) {
    const rivals = first.model ? rivalsOf(first.model, context.models) : [];
    // By default one of another family: the more they differ, the more there is to see.
    const other = rivals.find(({ family }) => family !== first.model.family) ?? rivals[0];
    second.update(rivals, rivals.some(({ name }) => name === wanted) ? wanted : other?.name);
    swap.disabled = go.disabled = !second.model;
    for (const part of shownParts) part.hidden = !second.model;
    if (second.model) return fight();
    running?.abort();
    facts.textContent = first.model
      ? `No other model with a scorer draws pictures of the size of ${first.model.name}'s.`
      : "No model here both draws and judges. Bundles of adversarial training bring a scorer along.";
  }

  function exchange() {
    const [a, b] = [first.model.name, second.model.name];
    first.set(b);
    pair(a);
  }

  async function fight() {
    if (!second.model || seed.next() === null) return;
    running?.abort();
    const mine = (running = new AbortController());
    const ends = AbortSignal.any([signal, mine.signal]);
    const models = [first.model, second.model];
    context.clear();
    const now = boutOf(models);
    const player = pace({ ms: stepMs(now.steps), show: (step) => reveal(now, step), signal: ends });
    if (!asking) before = facts.textContent;
    asking = true;
    if (!bout?.revealed) begin(now); // nothing is there to be kept
    facts.textContent = "Asking …";
    try {
      const streams = [0, 1].flatMap((drawer) => [0, 1].map((judge) => watch(now, drawer, judge, player, ends)));
      const digits = realDigits(models, ends).then((scores) => (now.digits = scores));
      await Promise.all([digits, ...streams]);
      if (await player.end()) conclude();
    } catch (error) {
      if (ends.aborted) return;
      mine.abort(); // of the four drawings the others, too
      facts.textContent = bout === now ? "Not finished" : before;
      asking = false;
      context.fail(error, fight);
    }
  }

  function boutOf(models) {
    return {
      ...{ models, n: n.value, seed: seed.value, digits: [null, null], ready: 0, revealed: 0 },
      steps: Math.max(...models.map((model) => model.steps.default)),
      scores: [[[], []], [[], []]],
      bitmaps: [[], []],
    };
  }

  /** Makes room, in the place of what is shown. */
  function begin(next) {
    for (const bitmap of bout?.bitmaps.flat(2) ?? []) bitmap.close();
    bout = next;
    const { models, steps } = bout;
    context.setParams({ a: models[0].name, b: models[1].name, n: bout.n, seed: bout.seed });
    code.offer(requestOf(bout, 0, 1)); // the one model's drawings, judged by its rival
    sides.forEach((side, index) => side.begin({ model: models[index], judge: models[1 - index], n: bout.n }));
    charts.forEach((chart, index) => chart.begin({ judge: models[index], models, steps }));
    table.begin(models);
    slider.begin(steps);
    slider.element.hidden = steps === 1;
  }

  /** What each judge says of ten digits from MNIST's test set, where both have learned from MNIST. */
  async function realDigits(models, ends) {
    const details = await Promise.all(models.map(({ name }) => context.describe(name)));
    const suit = ({ manifest }) => manifest.provenance?.dataset === "mnist" && !manifest.graphs.score.inputs.some(({ name }) => name === "label");
    if (!details.every(suit)) return [null, null];
    const answers = await Promise.all(models.map(({ name }) => context.client.score({ model: name, images: DIGITS, fit: "resize" }, { signal: ends })));
    return answers.map(({ values }) => values);
  }

  /** One model draws and one judges. The same seed gives the same drawings, whoever judges. */
  async function watch(mine, drawer, judge, player, ends) {
    const request = requestOf(mine, drawer, judge);
    for await (const frame of context.client.stream(request, { signal: ends })) {
      if (drawer !== judge) {
        const bitmaps = await Promise.all(frame.images.map(decode));
        if (ends.aborted) return bitmaps.forEach((bitmap) => bitmap.close());
        mine.bitmaps[drawer].push(bitmaps);
      }
      mine.scores[drawer][judge].push(frame.values);
      while (mine.ready < mine.steps && complete(mine, mine.ready + 1)) player.push((mine.ready += 1));
    }
  }

  /** A step has come. What was shown stays until then, for it might never come. */
  function reveal(now, step) {
    if (bout !== now) begin(now);
    asking = false;
    bout.revealed = step;
    facts.textContent = `Step ${step} of ${bout.steps}`;
    plot();
    slider.arrived(step);
  }

  /** The curves of the steps that have been shown. */
  function plot() {
    charts.forEach((chart, judge) => chart.set(bout.scores.map((of) => of[judge].slice(0, bout.revealed)), bout.digits[judge]));
  }

  /** Shows a step; a model that needs fewer shows what it has finished. */
  function show(step) {
    if (step > bout.revealed) return;
    sides.forEach((side, drawer) => {
      const own = Math.min(step, bout.models[drawer].steps.default);
      const judge = 1 - drawer;
      side.show(own, bout.bitmaps[drawer][own - 1], bout.models[judge].score_kind, bout.scores[drawer][judge][own - 1]);
    });
    for (const chart of charts) chart.mark(step);
  }

  function conclude() {
    const { models, scores, digits } = bout;
    plot(); // the digits may have come last
    const last = scores.map((of) => of.map((steps) => steps.at(-1)));
    table.show({ models, last, digits });
    const verdicts = models.map((judge, index) => {
      const rival = models[1 - index];
      return verdictOf(judge, rival, preference(last[1 - index][index], last[index][index]));
    });
    verdicts.forEach((words, index) => charts[index].conclude(words));
    facts.textContent = `${bout.n} drawings of each, seed ${bout.seed}`;
    context.say(verdicts.join(" "));
  }

  context.onModels((models) => {
    const before = [first.model, second.model].map((model) => model && `${model.name} ${model.version}`).join();
    first.update(contenders(models));
    const rivals = first.model ? rivalsOf(first.model, models) : [];
    second.update(rivals);
    const now = [first.model, second.model].map((model) => model && `${model.name} ${model.version}`).join();
    if (now !== before) pair();
  });
  pair(params.get("b"));
}

/** The models that draw and judge, if there is another to meet. */
function contenders(models) {
  const able = models.filter(fights);
  const met = able.filter((model) => rivalsOf(model, models).length);
  return met.length ? met : able;
}

function rivalsOf(model, models) {
  const same = ({ image }) => ["channels", "height", "width"].every((side) => image[side] === model.image[side]);
  return models.filter((other) => other.name !== model.name && fights(other) && same(other));
}

/** The request for one model's drawings and one's opinion of them. */
function requestOf({ models, n, seed }, drawer, judge) {
  const { name, steps, labels } = models[drawer];
  const each = labels ? { labels: Array.from({ length: n }, (_, index) => index % labels.length) } : {};
  return { model: name, n, seed, steps: steps.default, scoreBy: models[judge].name, ...each };
}

/** Whether all four have come so far. */
function complete({ scores, models }, step) {
  return scores.every((of, drawer) => of.every((frames) => frames.length >= Math.min(step, models[drawer].steps.default)));
}

function verdictOf(judge, rival, { share, error }) {
  if (!Number.isFinite(share)) return "It could not say: there are no scores.";
  const percent = `${Math.round(100 * share)} %`;
  const of = `in ${percent} of all pairs ${rival.name}'s drawing seems more real to it than ${judge.name}'s`;
  if (Math.abs(share - 0.5) < 2 * error) return `Undecided: ${of}.`;
  return share > 0.5 ? `Fooled: ${of}.` : `Not fooled: only ${of}.`;
}

/** Whether a model draws and judges the drawings of others: not one that judges with its own latents. */
function fights(model) {
  return model.score_kind && !model.score_takes.length && model.operations.includes("generate");
}
