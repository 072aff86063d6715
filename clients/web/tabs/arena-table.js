/** Who fools whom: both judges' scores of the finished drawings, and of real digits where they know such. */

import { h } from "../parts/dom.js";
import { moments, preference, scoreText, spreadText } from "./arena-statistics.js";

export function arenaTable() {
  const heads = [0, 1].map(() => h("th", { scope: "col" }, ""));
  const rows = ["", "", "Ten test digits", "Prefers the rival's in"].map((name) => ({
    name: h("th", { scope: "row" }, name),
    values: [0, 1].map(() => h("td.number", {}, "–")),
  }));
  const element = h(
    "section.panel",
    { "aria-label": "Who fools whom" },
    h("h2", {}, "Who fools whom"),
    h(
      "div.arena-scroll",
      { tabindex: "0", role: "group", "aria-label": "Scores of the finished drawings" },
      h(
        "table.arena-table",
        {},
        h("caption.visually-hidden", {}, "Mean and standard deviation of the scores of the finished drawings"),
        h("thead", {}, h("tr", {}, h("td", {}, "Finished drawings"), ...heads)),
        h("tbody", {}, ...rows.map(({ name, values }) => h("tr", {}, name, ...values))),
      ),
    ),
    h(
      "p.hint",
      {},
      "Means and standard deviations; more is more real. A discriminator says how probable it is that a picture is real. A critic's " +
        "score has no unit and no zero: 0.7 of one and 0.7 of another have nothing in common. So compare down a column, never across. " +
        "Only the last row may be compared: it counts the pairs of drawings, one of each, in which the judge finds its rival's more real. At 50 % it cannot tell them apart.",
    ),
  );

  return {
    element,
    begin(models) {
      models.forEach((model, index) => {
        heads[index].textContent = `by ${model.name}'s ${model.score_kind}`;
        rows[index].name.textContent = model.name;
      });
      for (const { values } of rows) for (const cell of values) cell.textContent = "–";
    },
    /** `last[drawer][judge]` are scores of the finished drawings, `digits[judge]` those of real digits or null. */
    show({ models, last, digits }) {
      models.forEach(({ score_kind }, judge) => {
        const lots = [last[0][judge], last[1][judge], digits[judge] ?? []];
        lots.forEach((lot, row) => (rows[row].values[judge].textContent = spreadText(score_kind, moments(lot))));
        const { share } = preference(last[1 - judge][judge], last[judge][judge]);
        rows[3].values[judge].textContent = scoreText("discriminator", share);
      });
    },
  };
}
