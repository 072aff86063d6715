/** Sixteen drawings at once, or one after another, and what they cost the server by its own count; or ever more. */

import { decode, pixelCanvas } from "../parts/canvas.js";
import { codePanel } from "../parts/code-panel.js";
import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { meanBetween, parseMetrics, quantileBetween, total } from "../parts/metrics.js";
import { modelPicker } from "../parts/model.js";
import { newSeed } from "../parts/seed.js";

const DRAWINGS = 16;
// A browser opens six connections to a server, and one of them is to read the metrics meanwhile.
const AT_ONCE = 5;

/** Canvases to show: what costs a graph call each; of rows, which are drawn anyhow, as few as are nice to see. */
function shown({ completion, steps }) {
  return completion === "raster" ? steps.default : steps.max;
}

const COLUMNS = ["Time", "Graph calls", "Rows in a call", "Steps in a call", "First canvas"];

export function burstPanel(context) {
  const { signal } = context;
  const usable = () => context.models.filter((model) => model.operations.includes("generate"));
  // Row by row takes long enough to be watched.
  const slow = usable().find((model) => model.completion === "raster") ?? null;
  const picker = modelPicker({ models: usable(), value: slow?.name ?? null, onChange: clear });
  const together = h("button.primary", { type: "button", onclick: () => run(AT_ONCE, 0) }, icon("brush"), `Send ${DRAWINGS} drawings at once`);
  const alone = h("button", { type: "button", onclick: () => run(1, 1) }, "Send them one after another");
  const keep = h("button", { type: "button", "aria-pressed": "false", onclick: () => (forever ? forever.abort() : keepOn()) }, "Keep sending");
  const cells = h("ul.grid.burst-grid", { role: "list", "aria-label": "The drawings" });
  const rows = ["At once", "One after another"].map((name) => ({
    name,
    values: COLUMNS.map(() => h("td.number", {}, "–")),
  }));
  const table = h(
    "table.burst-table",
    {},
    h("caption.visually-hidden", {}, "What the drawings cost"),
    h("thead", {}, h("tr", {}, h("td"), ...COLUMNS.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), ...row.values))),
  );
  const sentence = h("p.burst-sentence", {}, "");
  const code = codePanel(context);
  let canvases = [];
  let running = false;
  let forever = null; // ends the sending that goes on

  function clear() {
    forever?.abort();
    const model = picker.model;
    if (!model) return;
    canvases = Array.from({ length: DRAWINGS }, (_, index) => pixelCanvas(model.image, `Drawing ${index + 1}`));
    cells.replaceChildren(...canvases.map((canvas) => h("li.cell", {}, canvas.element)));
    for (const row of rows) for (const cell of row.values) cell.textContent = "–";
    compare();
  }

  function busy(on) {
    running = on;
    together.disabled = alone.disabled = on;
    keep.disabled = on && !forever;
    keep.setAttribute("aria-pressed", String(forever !== null));
    table.setAttribute("aria-busy", String(on));
  }

  const count = async () => parseMetrics(await context.client.metrics({ signal }));

  async function run(width, row) {
    const model = picker.model;
    if (!model) return;
    busy(true);
    context.clear();
    for (const canvas of canvases) canvas.show(null);
    try {
      const before = await count();
      const start = performance.now();
      await send(model, width, DRAWINGS);
      const seconds = (performance.now() - start) / 1000;
      const after = await count();
      report(rows[row], model, { before, after, seconds });
    } catch (error) {
      if (!signal.aborted) context.fail(error, () => run(width, row));
    }
    busy(false);
  }

  /** Until somebody presses again. */
  async function keepOn() {
    if (!picker.model) return;
    forever = new AbortController();
    busy(true);
    try {
      await send(picker.model, AT_ONCE, Infinity, forever.signal);
    } catch (error) {
      if (!signal.aborted && !forever.signal.aborted) context.fail(error, keepOn);
    }
    forever = null;
    busy(false);
  }

  /** Sends so many, `width` at a time. */
  async function send(model, width, count, until = signal) {
    const failed = new AbortController();
    const ends = AbortSignal.any([signal, until, failed.signal]);
    let next = 0;
    const worker = async () => {
      while (next < count && !ends.aborted) await draw(model, next++, ends);
    };
    try {
      await Promise.all(Array.from({ length: width }, worker));
    } finally {
      failed.abort(); // where one has, the others need not go on
    }
  }

  async function draw(model, index, ends) {
    const request = {
      model: model.name,
      steps: shown(model),
      seed: newSeed(),
      ...(model.labels ? { label: index % model.labels.length } : {}),
    };
    if (index === 0) code.offer({ n: 1, ...request }); // the others differ in their seeds and classes
    const canvas = canvases[index % DRAWINGS];
    for await (const frame of context.client.stream(request, { signal: ends })) {
      decode(frame.images[0]).then((bitmap) => {
        canvas.show(bitmap);
        bitmap.close();
      });
    }
  }

  function report({ name, values }, model, { before, after, seconds }) {
    const where = { bundle: model.name };
    const calls = total(after, "pentimento_batch_rows_count", where) - total(before, "pentimento_batch_rows_count", where);
    const mean = (metric) => meanBetween(before, after, metric, where)?.toFixed(1) ?? "–";
    const first = quantileBetween(before, after, "pentimento_first_canvas_seconds", 0.5);
    const texts = [
      `${seconds.toFixed(2)} s`,
      String(calls),
      mean("pentimento_batch_rows"),
      mean("pentimento_batch_distinct_t"),
      first === null ? "–" : `${(1000 * first).toFixed(1)} ms`,
    ];
    values.forEach((cell, index) => (cell.textContent = texts[index]));
    compare();
    context.say(`${name}: ${COLUMNS.map((title, index) => `${title} ${texts[index]}`).join(", ")}`);
  }

  /** What the table says, in a sentence, once both ways have been tried. */
  function compare() {
    const [few, many] = rows.map(({ values }) => Number(values[1].textContent));
    const known = few > 0 && many > 0;
    sentence.textContent = known ? `Together they took ${few} graph calls instead of ${many}.` : "";
  }

  clear();
  return {
    element: h(
      "section.panel.burst",
      { "aria-label": "See the batching" },
      h(
        "div.burst-controls",
        {},
        picker.element,
        together,
        alone,
        keep,
        h("p.hint", {}, `A browser opens six connections to a server: ${AT_ONCE} drawings run at any moment, and one connection reads the metrics.`),
      ),
      h("div.burst-result", {}, cells, h("div.burst-scroll", { tabindex: "0", role: "group", "aria-label": "What they cost" }, table), sentence),
    ),
    code: code.element,
    /** Whether this page is sending. */
    get busy() {
      return running;
    },
    update() {
      const before = picker.model?.name;
      picker.update(usable());
      if (picker.model?.name !== before) clear();
    },
  };
}
