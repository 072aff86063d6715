/** What the Draw tab says of a drawing: captions, axes, legends. */

/** As many columns as fit, and the last row as full as can be. */
export function columns(n, most) {
  return Math.ceil(n / Math.ceil(n / most));
}

export function ms(us) {
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}

/** What is said when a drawing is there: on the page, and to those who listen. */
export function summaryOf({ n, steps, judge, model }, { elapsedUs, kind, values }) {
  const canvases = `${n} ${n === 1 ? "canvas" : "canvases"}`;
  const judged = judge && kind === "discriminator" ? `; ${meanReal(values)} real on average` : "";
  const slower = steps > 1 ? ", shown slower" : "";
  const time = ms(elapsedUs);
  return { shown: `${canvases} in ${time}${slower}${judged}`, said: `${canvases} by ${model.name} finished in ${time}${judged}` };
}

/** What the scores' axis measures. */
export function axisTitle({ judge, judgeKind }) {
  return judgeKind === "discriminator"
    ? `How real ${judge}'s discriminator finds it, in per cent`
    : `What ${judge}'s critic says, on a scale of its own: more is more real`;
}

/** A limit of the scores' axis, short. */
export function axisLimit(kind, value) {
  if (!Number.isFinite(value)) return "–";
  return kind === "discriminator" ? `${Math.round(100 * value)} %` : value.toFixed(1).replace("-", "−");
}

/** How to read the small curves: what they measure, from where to where, and what real pictures get. */
export function curveLegend({ judge, judgeKind, steps }, real, range = [0, 1]) {
  const [low, high] = range.map((value) => axisLimit(judgeKind, value));
  const what = judgeKind === "discriminator" ? `how real ${judge}'s discriminator finds it` : `what ${judge}'s critic says, higher is more real`;
  const across = steps > 1 ? `, step 1 to ${steps}` : "";
  const dashed = real ? ` Dashed: ${real.words}, ${axisLimit(judgeKind, real.mean)} on average.` : "";
  return `Curves: ${what}, ${low} (bottom) to ${high} (top)${across}.${dashed}`;
}

function meanReal(values) {
  return `${Math.round((100 * values.reduce((sum, value) => sum + value, 0)) / values.length)} %`;
}
