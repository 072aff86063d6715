/** Choosing a model, and what is known of it: its paper in a sentence, its steps, its measured figures. */

import { field, h } from "./dom.js";
import { paperSentence } from "./papers.js";

const GROUPS = [
  ["Step by step, over itself", (model) => model.steps && model.steps.max > 1 && model.completion !== "raster"],
  ["Row by row", (model) => model.completion === "raster"],
  ["In one step", () => true],
];

/**
 * A labelled list of models.
 *
 * @param {object} options
 * @param {Array<object>} options.models As `GET /models` lists them, those that suit.
 * @param {string | null} options.value The one to begin with; null or an unknown one: the server's default.
 * @param {(model: object) => void} options.onChange
 * @param {string} [options.label]
 */
export function modelPicker({ models, value, onChange, label = "Model" }) {
  const select = h("select", { onchange: () => onChange(find(select.value)) });
  let known = [];
  const find = (name) => known.find((model) => model.name === name);

  function update(next, wanted = select.value) {
    known = next;
    const rest = new Set(known);
    select.replaceChildren();
    for (const [title, belongs] of GROUPS) {
      const members = [...rest].filter(belongs);
      for (const model of members) rest.delete(model);
      if (!members.length) continue;
      const options = members.map((model) => h("option", { value: model.name }, model.name));
      select.append(h("optgroup", { label: title }, ...options));
    }
    const chosen = find(wanted) ?? known.find((model) => model.default) ?? known[0];
    select.value = chosen?.name ?? "";
    select.disabled = !known.length;
  }

  update(models, value);
  return {
    element: field(label, select),
    update,
    get model() {
      return find(select.value) ?? null;
    },
    set(name) {
      if (find(name)) select.value = name;
    },
  };
}

/**
 * A card with a model's paper, steps and figures. It keeps its last content until the next is known.
 *
 * @param {(name: string) => Promise<object>} describe Gives the answer of `GET /models/{name}`.
 */
export function modelCard(describe) {
  const element = h("section.panel.columns-more.model-card", { "aria-label": "About the model" });
  let wanted = null;
  return {
    element,
    async show(model) {
      wanted = model.name;
      const detail = await describe(model.name);
      if (wanted === model.name) element.replaceChildren(...about(detail));
    },
  };
}

function about(model) {
  const { paper, provenance } = model.manifest;
  const said = paperSentence(paper);
  const parts = [h("h2", {}, model.name), h("p", {}, said ?? model.summary)];
  if (paper) {
    const title = paper.arxiv
      ? h("a", { href: `https://arxiv.org/abs/${paper.arxiv}`, rel: "noreferrer", target: "_blank" }, paper.title)
      : paper.title;
    parts.push(h("p.hint", {}, title, `, ${authors(paper.authors)}${paper.year ? `, ${paper.year}` : ""}.`));
  }
  if (said) parts.push(h("p.hint", {}, model.summary));
  const rows = [["Version", model.version], ["Draws", drawsWords(model)], ...figures(provenance?.evaluation), ...training(provenance)];
  parts.push(h("dl.figures", {}, ...rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))));
  const manifest = h("pre.manifest", { tabindex: "0", "aria-label": "Manifest" }, JSON.stringify(model.manifest, null, 2));
  parts.push(h("details", {}, h("summary", {}, "The whole manifest"), manifest));
  return parts;
}

function authors(text = "") {
  const names = text.split(", ");
  return names.length > 2 ? `${names[0]} and others` : text;
}

function drawsWords(model) {
  const { height, width, channels } = model.image;
  const size = `${width} × ${height} ${channels === 1 ? "grey" : "colour"}`;
  if (!model.steps) return size;
  const { min, max, trained, best } = model.steps;
  if (max === 1) return `${size}, in one step`;
  if (model.completion === "raster") return `${size}, row by row`;
  const nearest = best && best !== trained ? `, is nearest to the data at ${best}` : "";
  return `${size}, in ${trained} steps; can show ${min} to ${max}${nearest}`;
}

/** Measured by `pentimento evaluate`, as the manifest has it. */
function figures(evaluation) {
  if (!evaluation) return [];
  const rows = [];
  const share = (value) => `${(100 * value).toFixed(1)} %`;
  if (evaluation.label_accuracy !== undefined) rows.push(["Draws the class asked for", share(evaluation.label_accuracy)]);
  if (evaluation.kl_to_data !== undefined) rows.push(["KL of classes to the data's", evaluation.kl_to_data.toFixed(3)]);
  if (evaluation.class_shares) rows.push(["Rarest class", share(Math.min(...Object.values(evaluation.class_shares)))]);
  if (evaluation.confidence !== undefined) {
    const test = evaluation.classifier?.test_confidence;
    const beside = test === undefined ? "" : ` (data ${test.toFixed(2)})`;
    rows.push(["Classifier's confidence", `${evaluation.confidence.toFixed(2)}${beside}`]);
  }
  const likelihood = evaluation.likelihood;
  if (likelihood) rows.push([likelihood.exact ? "Nats, exact" : "Nats, bound", likelihood.nats.toFixed(2)]);
  if (evaluation.neighbours) rows.push(["Neighbours' error", share(evaluation.neighbours.error)]);
  return rows;
}

function training(provenance) {
  const rows = [];
  if (provenance?.dataset) rows.push(["Trained on", provenance.dataset]);
  if (provenance?.train_seconds) rows.push(["Training took", `${Math.round(provenance.train_seconds / 60)} min`]);
  return rows;
}
