/** The server's own figures, as /metrics gives them in Prometheus' text format. */

const LINE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * @param {string} text
 * @returns {Map<string, Array<{ labels: Record<string, string>, value: number }>>} Samples by name.
 */
export function parseMetrics(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match) continue; // a comment, or nothing
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(LABEL)) labels[name] = value;
    const value = match[3] === "+Inf" ? Infinity : Number(match[3]);
    if (!samples.has(match[1])) samples.set(match[1], []);
    samples.get(match[1]).push({ labels, value });
  }
  return samples;
}

/** The sum over all series of a name whose labels are as given. */
export function total(samples, name, where = {}) {
  return matching(samples, name, where).reduce((sum, sample) => sum + sample.value, 0);
}

/** The mean of what a histogram has counted between two readings; null: nothing. */
export function meanBetween(before, after, name, where = {}) {
  const count = total(after, `${name}_count`, where) - total(before, `${name}_count`, where);
  if (count <= 0) return null; // less than nothing: the server has restarted
  return (total(after, `${name}_sum`, where) - total(before, `${name}_sum`, where)) / count;
}

/**
 * A quantile of what a histogram has counted between two readings, between the limits of its bucket as Prometheus
 * estimates it; null: nothing.
 */
export function quantileBetween(before, after, name, q, where = {}) {
  const counts = new Map();
  for (const [samples, sign] of [[before, -1], [after, 1]]) {
    for (const { labels, value } of matching(samples, `${name}_bucket`, where)) {
      const limit = labels.le === "+Inf" ? Infinity : Number(labels.le);
      counts.set(limit, (counts.get(limit) ?? 0) + sign * value);
    }
  }
  const limits = [...counts.keys()].sort((a, b) => a - b);
  const all = counts.get(Infinity) ?? 0;
  if (all <= 0) return null;
  let low = 0;
  let below = 0;
  for (const limit of limits) {
    const upTo = counts.get(limit);
    if (upTo >= q * all) {
      if (limit === Infinity) return low;
      return low + (limit - low) * ((q * all - below) / (upTo - below || 1));
    }
    [low, below] = [limit, upTo];
  }
  return low;
}

function matching(samples, name, where) {
  const wanted = Object.entries(where);
  return (samples.get(name) ?? []).filter(({ labels }) => wanted.every(([label, value]) => labels[label] === value));
}
