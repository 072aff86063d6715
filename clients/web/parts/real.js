/** What a judge says of real pictures, so that its opinion of drawings can be read. */

const SAID = "ten test digits";

/**
 * The mean score of ten test digits of MNIST, for a judge that learned from MNIST; null for others, whose data this
 * page does not have: a manifest does not say what real images get.
 *
 * @param {object} context Of the tab.
 * @param {string} judge The bundle whose scorer judges.
 * @param {AbortSignal} signal
 * @returns {Promise<{ mean: number, words: string } | null>}
 */
export async function realScore(context, judge, signal) {
  const { manifest } = await context.describe(judge);
  const inputs = manifest.graphs.score?.inputs ?? [];
  if (manifest.provenance?.dataset !== "mnist" || inputs.some(({ name }) => name !== "image")) return null;
  const { DIGITS } = await import("../tabs/digits.js");
  const { values } = await context.client.score({ model: judge, images: DIGITS, fit: "resize" }, { signal });
  const known = values.filter(Number.isFinite);
  return known.length ? { mean: known.reduce((sum, value) => sum + value, 0) / known.length, words: SAID } : null;
}
