/** The client: what a server can be asked for. */

import { Connection } from "./connection.js";
import { understood } from "./errors.js";
import { FrameStream } from "./stream.js";
import { fromJson, snake, toBase64, toEncoding, toForm, toJson, toLikelihood, toScore } from "./wire.js";

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

  /**
   * The address of a drawing, for an `<img>`, a link or an EventSource: the same each time, and with a `version` for
   * ever. It has no key in it, so it is for servers that want none.
   *
   * @param {object} request With `model` and `seed`, and whatever else decides the picture but latents.
   * @param {string} ending "png", "gif", "apng", "npy", "json" or "sse".
   * @returns {string}
   */
  address(request, ending) {
    return this.#connection.address(addressed(request, ending));
  }

  /** What an encoder makes of pictures; its latents can be given to `generate`. */
  encode(request, { signal } = {}) {
    return this.#ask(reading("encode", request), signal, toEncoding);
  }

  /** A scorer's opinion of pictures, of some with the latents that they were drawn from or encoded to. */
  async score(request, { signal } = {}) {
    const asked = request.latents ? await judging(request) : reading("score", request);
    return this.#ask(asked, signal, toScore);
  }

  /** How likely a model finds pictures, in nats and in bits per dimension. */
  likelihood(request, { signal } = {}) {
    return this.#ask(reading("likelihood", request), signal, toLikelihood);
  }

  /** The served models, and the folders that were refused, as the server says it. */
  models({ signal } = {}) {
    return this.#ask({ path: "models" }, signal);
  }

  /** One model with its whole manifest, as the server says it. */
  model(name, { signal } = {}) {
    return this.#ask({ path: `models/${encodeURIComponent(name)}` }, signal);
  }

  /** The server's figures in Prometheus' text format. */
  metrics({ signal } = {}) {
    return this.#connection.send({ path: "metrics", accept: "text/plain" }, signal, (answer) => answer.whole("text"));
  }

  #ask(request, signal, read = (content) => content) {
    return this.#connection.send(request, signal, async (answer) => {
      const text = await answer.whole("text");
      return understood(() => read(fromJson(text)));
    });
  }
}

/** The HTTP request of a drawing. */
function drawing(request) {
  const { image, mask, scale, timeoutMs, controls, ...fields } = request;
  if (image === undefined) {
    return { path: "generate", query: snake({ scale }), body: toJson({ ...snake(fields), controls }), timeoutMs };
  }
  const files = [["image", image], ...(mask === undefined ? [] : [["mask", mask]])];
  const path = mask === undefined ? "autoencode" : "complete";
  return { path, query: { ...snake({ scale, ...fields }), ...controls }, body: toForm(files), timeoutMs };
}

/** The path and query of a drawing's address. */
function addressed({ model, version, seed, labels, controls, ...fields }, ending) {
  for (const [name, value] of Object.entries({ model, seed })) {
    if (value === undefined || value === null) throw new TypeError(`${name} is needed in an address`);
  }
  const bundle = version === undefined ? model : `${model}@${version}`;
  const path = `drawings/${encodeURIComponent(bundle).replace("%40", "@")}/${seed}.${ending}`;
  return { path, query: { ...snake({ labels: labels?.join(","), ...fields }), ...controls } };
}

/** The HTTP request of a reading: one or several pictures, and an answer at once. */
function reading(path, { images, timeoutMs, ...fields }) {
  const files = Array.from(images, (image) => ["image", image]);
  return { path, query: snake(fields), body: toForm(files), timeoutMs };
}

/** The HTTP request for a scorer of pairs: pictures and latents as JSON. */
async function judging({ images, latents, timeoutMs, ...fields }) {
  const files = await Promise.all(Array.from(images, toBase64));
  return { path: "score", query: snake(fields), body: toJson({ images: files, latents }), timeoutMs };
}

/** The request, if it has its pictures. */
function pictured(request, ...names) {
  for (const name of names) {
    if (request?.[name] == null) throw new TypeError(`${name} is needed: a Blob or the bytes of a PNG or JPEG file`);
  }
  return request;
}
