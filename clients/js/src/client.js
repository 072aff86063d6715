/** The client: what a server can be asked for. */

import { Connection } from "./connection.js";
import { FrameStream } from "./stream.js";
import { fromJson, snake, toBytes, toForm, toJson, toOpinion, toTiming } from "./wire.js";

const FRAMES = "application/x-ndjson";

/**
 * A Pentimento server. Requests and answers are described in index.d.ts. Every failure is a PentimentoError, but an
 * aborted signal, which rejects with its reason.
 */
export class Client {
  #connection;

  /**
   * @param {string | URL} url `http://HOST:PORT`, also `https:` and below a path.
   * @param {object} [options]
   * @param {string | null} [options.apiKey] For servers that want one.
   * @param {number} [options.retries] How often what was refused for now, or reached nobody, is tried again; 4.
   * @param {number} [options.silenceMs] The longest wait for the next part of an answer; 11 minutes, as the server
   *   bounds requests itself.
   * @param {typeof fetch} [options.fetch] Another fetch, of a proxy or a client certificate.
   */
  constructor(url, options = {}) {
    this.#connection = new Connection(url, options);
  }

  /** Draws images, and gives every canvas as it is drawn. */
  stream(request = {}, { signal } = {}) {
    return new FrameStream(this.#connection, { ...drawing(request), accept: FRAMES }, signal);
  }

  /** Encodes a picture and draws it again: the same. */
  streamAutoencode(request, options = {}) {
    return this.stream(pictured(request, "image"), options);
  }

  /** Keeps the pixels of a picture where the mask is white, and draws the others: the same. */
  streamComplete(request, options = {}) {
    return this.stream(pictured(request, "image", "mask"), options);
  }

  /** A whole drawing. */
  generate(request = {}, options = {}) {
    return this.stream(request, options).drawing();
  }

  /** A whole reconstruction. */
  async autoencode(request, options = {}) {
    return this.streamAutoencode(request, options).drawing();
  }

  /** A whole completion. */
  async complete(request, options = {}) {
    return this.streamComplete(request, options).drawing();
  }

  /**
   * A drawing as a file, drawn and encoded by the server: a film strip, an animation, an array. A request with an
   * `image` is for a reconstruction, one with a `mask` besides for a completion.
   *
   * @param {string} accept "image/png", "image/gif", "image/apng" or "application/x-npy".
   * @returns {Promise<Blob>}
   */
  file(request, accept, { signal } = {}) {
    return this.#connection.send({ ...drawing(request), accept }, signal, (answer) => answer.whole("blob"));
  }

  /** What an encoder makes of pictures; its latents can be given to `generate`. */
  async encode(request, { signal } = {}) {
    const answer = await this.#json(reading("encode", request), signal);
    const { model, version, seed, inputs, encoding, timing } = answer;
    return { model, version, seed, inputs: inputs.map(toBytes), encoding, timing: toTiming(timing) };
  }

  /** A scorer's opinion of pictures. */
  async score(request, { signal } = {}) {
    const { model, version, kind, scores, timing } = await this.#json(reading("score", request), signal);
    return { model, version, ...toOpinion(kind, scores), timing: toTiming(timing) };
  }

  /** How likely a model finds pictures, in nats and in bits per dimension. */
  async likelihood(request, { signal } = {}) {
    const answer = await this.#json(reading("likelihood", request), signal);
    const { model, version, seed, kind, importance_samples, inputs, likelihoods, pixels, timing } = answer;
    return {
      model,
      version,
      seed,
      kind,
      importanceSamples: importance_samples,
      inputs: inputs.map(toBytes),
      nats: likelihoods.map(({ nats }) => nats),
      bitsPerDim: likelihoods.map(({ bits_per_dim }) => bits_per_dim),
      pixels: pixels ?? null,
      timing: toTiming(timing),
    };
  }

  /** The served models, and the folders that were refused, as the server says it. */
  models({ signal } = {}) {
    return this.#json({ path: "models" }, signal);
  }

  /** One model with its whole manifest, as the server says it. */
  async model(name, { signal } = {}) {
    return this.#json({ path: `models/${encodeURIComponent(name)}` }, signal);
  }

  /** The server's figures in Prometheus' text format. */
  metrics({ signal } = {}) {
    return this.#connection.send({ path: "metrics", accept: "text/plain" }, signal, (answer) => answer.whole("text"));
  }

  #json(request, signal) {
    return this.#connection.send(request, signal, async (answer) => fromJson(await answer.whole("text")));
  }
}

/** The HTTP request of a drawing. */
function drawing(request) {
  const { image, mask, scale, ...fields } = request;
  const { timeoutMs } = fields;
  if (image === undefined) {
    return { path: "generate", query: snake({ scale }), body: toJson(snake(fields)), timeoutMs };
  }
  const files = [["image", image], ...(mask === undefined ? [] : [["mask", mask]])];
  const path = mask === undefined ? "autoencode" : "complete";
  return { path, query: snake({ scale, ...fields }), body: toForm(files), timeoutMs };
}

/** The HTTP request of a reading: one or several pictures, and an answer at once. */
function reading(path, { images, ...fields }) {
  const files = Array.from(images, (image) => ["image", image]);
  return { path, query: snake(fields), body: toForm(files), timeoutMs: fields.timeoutMs };
}

/** The request, if it has its pictures. */
function pictured(request, ...names) {
  for (const name of names) {
    if (request?.[name] == null) throw new TypeError(`${name} is needed: a Blob or the bytes of a PNG or JPEG file`);
  }
  return request;
}
