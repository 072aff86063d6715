/** What can be said of two lots of scores by one judge. */

/** Mean and standard deviation of the scores that are known; NaN of none. */
export function moments(scores) {
  const known = scores.filter(Number.isFinite);
  const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
  const squares = known.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, known.length - 1)) };
}

/**
 * The share of pairs (a, b) in which a is scored higher, ties count half: Mann and Whitney's U as a share. It needs no
 * scale, so it may be compared between judges. `error` is its standard error if both were alike.
 */
export function preference(a, b) {
  const [as, bs] = [a.filter(Number.isFinite), b.filter(Number.isFinite)];
  let wins = 0;
  for (const x of as) for (const y of bs) wins += x > y ? 1 : x === y ? 0.5 : 0;
  const pairs = as.length * bs.length;
  return { share: wins / pairs, error: Math.sqrt((as.length + bs.length + 1) / (12 * pairs)) };
}

/** A score as short as a table has room for: "31 %" of a discriminator, "0.71" of a critic. */
export function scoreText(kind, value) {
  if (!Number.isFinite(value)) return "–";
  return kind === "discriminator" ? `${Math.round(100 * value)} %` : signed(value);
}

/** Mean and spread: "31 ± 12 %", "0.71 ± 0.30". */
export function spreadText(kind, { mean, deviation }) {
  if (!Number.isFinite(mean)) return "–";
  if (kind === "discriminator") return `${Math.round(100 * mean)} ± ${Math.round(100 * deviation)} %`;
  return `${signed(mean)} ± ${deviation.toFixed(2)}`;
}

function signed(value) {
  return value.toFixed(2).replace("-", "−");
}
