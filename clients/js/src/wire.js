/** Between what callers write and read, and what travels. */

/** Fields of a request that travel as they are, in the server's spelling: scoreBy is score_by. */
export function snake(fields) {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([name, value]) => [name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), value]));
}

/** A request as JSON. A bigint travels as its digits, which the server takes for a number. */
export function toJson(fields) {
  return JSON.stringify(fields, (_, value) => {
    if (typeof value === "bigint") return String(value);
    return ArrayBuffer.isView(value) ? Array.from(value) : value;
  });
}

/** Picture files as a multipart body: [name, file] pairs. */
export function toForm(files) {
  const form = new FormData();
  for (const [name, file] of files) {
    form.append(name, file instanceof Blob ? file : new Blob([file]), name);
  }
  return form;
}

/** JSON of the server; a seed that a number cannot hold is a bigint. */
export function fromJson(text) {
  const content = JSON.parse(text);
  if (Number.isInteger(content.seed)) content.seed = toSeed(/"seed":\s*(\d+)/.exec(text)[1]);
  return content;
}

/** A number, or a bigint where that would not be exact. */
export function toSeed(digits) {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** A file out of base64. */
export function toBytes(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** A picture file as base64. */
export async function toBase64(file) {
  const bytes = new Uint8Array(await new Blob([file]).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** What a scorer says of n images: of a discriminator probabilities, of a critic its scores; more is more real. */
export function toOpinion(kind, scores) {
  if (!scores) return { kind: null, values: null, logits: null };
  const value = kind === "discriminator" ? "probability" : "logit";
  return {
    kind,
    values: scores.map((score) => score[value] ?? null),
    logits: scores.map((score) => score.logit ?? null),
  };
}

/** One shown canvas of every image. */
export function toFrame(line) {
  return {
    step: line.step,
    images: line.images.map(toBytes),
    ...toOpinion(line.score_kind, line.scores),
    outputs: line.outputs ?? {},
    elapsedUs: line.elapsed_us,
  };
}

/** What is known of a drawing before its first canvas. */
export function toHeader(headers) {
  if (!headers.has("Pentimento-Seed")) throw new TypeError("the headers say nothing of a drawing");
  const scoredBy = headers.get("Pentimento-Scored-By");
  return {
    model: headers.get("Pentimento-Model"),
    version: headers.get("Pentimento-Version"),
    seed: toSeed(headers.get("Pentimento-Seed")),
    steps: Number(headers.get("Pentimento-Steps")),
    scoreKind: headers.get("Pentimento-Score-Kind"),
    scoredBy: scoredBy && { model: scoredBy, version: headers.get("Pentimento-Scored-By-Version") },
  };
}

/** What is known of it when it is complete. */
export function toEnd(line) {
  return {
    timing: toTiming(line.timing),
    input: line.input ? toBytes(line.input) : null,
    encoding: line.encoding ?? null,
    conditioning: line.conditioning ?? null,
  };
}

/** Where the time went on the server, in microseconds from admission. */
export function toTiming({ queue_us, total_us }) {
  return { queueUs: queue_us, totalUs: total_us };
}

/** The answer of POST /score. */
export function toScore({ model, version, kind, scores, group, timing }) {
  return { model, version, ...toOpinion(kind, scores), group: group ?? false, timing: toTiming(timing) };
}

/** The answer of POST /encode. */
export function toEncoding({ model, version, seed, inputs, encoding, timing }) {
  return { model, version, seed, inputs: inputs.map(toBytes), encoding, timing: toTiming(timing) };
}

/** The answer of POST /likelihood. */
export function toLikelihood({ model, version, seed, kind, importance_samples, inputs, likelihoods, pixels, timing }) {
  return {
    model,
    version,
    seed,
    kind,
    importanceSamples: importance_samples,
    inputs: inputs.map(toBytes),
    nats: likelihoods.map(({ nats }) => nats),
    bitsPerDim: likelihoods.map(({ bits_per_dim }) => bits_per_dim),
    standardErrors: likelihoods[0]?.standard_error == null ? null : likelihoods.map(({ standard_error }) => standard_error),
    pixels: pixels ?? null,
    timing: toTiming(timing),
  };
}
