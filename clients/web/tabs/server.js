/** Server: what the server does right now, from its own metrics; and a burst of drawings, to see them batched. */

import { h } from "../parts/dom.js";
import { meanBetween, parseMetrics, quantileBetween, total } from "../parts/metrics.js";
import { timePlot } from "../parts/plot.js";
import { burstPanel } from "./server-burst.js";

const CALM_MS = 500; // between two readings
const BUSY_MS = 150; // while this page sends drawings
const SECONDS = 30; // shown

const PLOTS = [
  {
    title: "Rows in flight",
    meaning: "Canvases that are being drawn or wait for their turn.",
    format: (value) => value.toFixed(0),
    least: 10,
    read: (_, now) => total(now, "pentimento_rows_in_flight"),
  },
  {
    title: "Rows in a call",
    meaning: "Drawings of different requests share a call of the graph. More is less work for each.",
    least: 5,
    read: (before, now) => meanBetween(before, now, "pentimento_batch_rows"),
  },
  {
    title: "Steps in a call",
    meaning: "Those that share a call need not be at the same step: who comes later joins at once.",
    least: 5,
    read: (before, now) => meanBetween(before, now, "pentimento_batch_distinct_t"),
  },
  {
    title: "First canvas",
    unit: "ms",
    meaning: "From a streamed request to its first canvas, the median of those since the reading before.",
    least: 10,
    read(before, now) {
      const seconds = quantileBetween(before, now, "pentimento_first_canvas_seconds", 0.5);
      return seconds === null ? null : seconds * 1000;
    },
  },
];

export function mount(root, context) {
  const { signal, connection } = context;
  const plots = PLOTS.map((plot) => ({ read: plot.read, view: timePlot({ seconds: SECONDS, ...plot }) }));
  const burst = burstPanel(context);
  const refused = h("section.panel", { "aria-label": "Not served" });
  root.append(
    h(
      "div.tab-head",
      {},
      h("h1", {}, "Server"),
      h("p", {}, "Requests that come at the same time are drawn together, whatever step each has reached. Send some and see."),
    ),
    h("div.stage", {}, burst.element, h("div.server-plots", {}, ...plots.map(({ view }) => view.element)), burst.code, refused),
  );

  function showRefused() {
    refused.hidden = !context.refused.length;
    const rows = context.refused.map(({ name, reason }) => h("div", {}, h("dt", {}, name), h("dd", {}, reason)));
    refused.replaceChildren(h("h2", {}, "Not served"), h("dl.server-refused", {}, ...rows));
  }

  let before = null;
  let locked = false; // no key, or a wrong one: asking again would only be refused again
  let timer = null;

  async function look() {
    timer = null;
    try {
      if (connection.state === "online" && !document.hidden && !locked) await read();
    } catch (error) {
      before = null;
      locked = error.code === "UNAUTHENTICATED";
      if (locked) context.fail(error);
      else if (!signal.aborted) connection.check(); // which says so if nobody is there
    }
    if (!signal.aborted) timer = setTimeout(look, burst.busy ? BUSY_MS : CALM_MS);
  }

  async function read() {
    const now = parseMetrics(await context.client.metrics({ signal }));
    if (before) for (const { read: value, view } of plots) view.push(value(before, now));
    before = now;
  }

  context.onModels(() => {
    locked = false;
    burst.update();
    showRefused();
  });
  showRefused();
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
}
