/** Requests over HTTP: tried again where that helps, ended where nobody waits or nobody answers. */

import { errorOfAnswer, PentimentoError } from "./errors.js";
import { Watch } from "./watch.js";

const FIRST_WAIT_MS = 200; // doubles with each try
const LONGEST_WAIT_MS = 5_000;
const LONGEST_RETRY_AFTER_S = 60; // whoever is told to come back later than that is told, and decides
const SLACK_MS = 5_000; // after a request's own deadline, so that it is the server that says what happened
const warned = new Set(); // hosts
const TRANSIENT = new Set(["OVERLOADED", "UNAVAILABLE"]);

export class Connection {
  #base;
  #key;
  #retries;
  #silenceMs;
  #fetch;

  /** Arguments as those of Client. */
  constructor(url, { apiKey = null, retries = 4, silenceMs = 660_000, fetch = null } = {}) {
    const base = new URL(url);
    if (!/^https?:$/.test(base.protocol)) throw new TypeError(`url must be http:// or https://, got ${base.protocol}//`);
    if (!base.pathname.endsWith("/")) base.pathname += "/"; // the server may be below a path
    // fetch would name the key in its message.
    if (apiKey !== null && !/^[!-~]+$/.test(apiKey)) throw new TypeError("apiKey must be visible ASCII characters");
    if (apiKey !== null) warnUnencrypted(base);
    this.#base = base;
    this.#key = apiKey;
    this.#retries = retries;
    this.#silenceMs = silenceMs;
    this.#fetch = fetch ?? ((...args) => globalThis.fetch(...args));
  }

  /**
   * Sends a request, and reads of its answer what `read` does: if that fails, too, all of it is tried again. Requests
   * change nothing on the server, so trying again is safe.
   *
   * @param {object} request `path`, and where there are: `query`, `body`, `accept`, `timeoutMs`.
   * @param {AbortSignal | undefined} signal Rejects with its reason when aborted.
   * @param {(answer: Answer) => Promise<T>} read Closes the answer, unless its caller shall.
   * @returns {Promise<T>}
   * @template T
   */
  async send(request, signal, read) {
    const timeoutMs = request.timeoutMs ?? Infinity;
    if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs)) throw new TypeError("timeoutMs must be a number");
    const end = performance.now() + timeoutMs;
    for (let tries = 0; ; tries++) {
      const leftMs = tries === 0 ? timeoutMs : Math.max(1, end - performance.now());
      try {
        return await this.#try(request, leftMs, signal, read);
      } catch (error) {
        const wait = this.#wait(error, tries);
        if (wait === null || performance.now() + wait >= end) throw error;
        await sleep(wait, signal);
      }
    }
  }

  async #try({ path, query = {}, body, accept }, leftMs, signal, read) {
    const url = this.#url(path, query);
    if (leftMs < Infinity) url.searchParams.set("timeout_ms", String(Math.ceil(leftMs)));
    const headers = { Accept: accept ?? "application/json" };
    if (this.#key !== null) headers.Authorization = `Bearer ${this.#key}`;
    if (typeof body === "string") headers["Content-Type"] = "application/json";
    const method = body === undefined ? "GET" : "POST";

    const watch = new Watch(signal, Math.min(this.#silenceMs, Math.max(0, leftMs) + SLACK_MS), this.#base.origin);
    try {
      const init = { method, headers, body, signal: watch.signal, cache: "no-store" };
      const response = await watch.during(this.#fetch(url.href, init));
      watch.answered();
      if (!response.ok) throw errorOfAnswer(response, await watch.during(response.text()));
      return await read(new Answer(response, watch));
    } catch (error) {
      watch.close();
      throw error;
    }
  }

  /** Where a GET request is answered, for others than this client. */
  address({ path, query }) {
    return this.#url(path, query).href;
  }

  #url(path, query) {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  /** Milliseconds before the next try; null: it would not help. Full jitter, so that clients do not come back together. */
  #wait(error, tries) {
    if (!(error instanceof PentimentoError) || !TRANSIENT.has(error.code) || tries >= this.#retries) return null;
    const retryAfterS = error.retryAfterS ?? 0;
    if (retryAfterS > LONGEST_RETRY_AFTER_S) return null;
    return 1000 * retryAfterS + Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
  }
}

/** An answer that has begun. Closing it ends the request, and with it what the server does for it. */
class Answer {
  #watch;

  constructor(response, watch) {
    this.headers = response.headers;
    this.response = response;
    this.#watch = watch;
  }

  /** The whole body as a Response's method of this name gives it; closes the answer. */
  async whole(method) {
    try {
      return await this.#watch.during(this.response[method]());
    } finally {
      this.close();
    }
  }

  /** The lines of the body as they come. */
  async *lines() {
    const reader = this.response.body.getReader();
    const decoder = new TextDecoder();
    let parts = []; // of a line that is not complete
    for (;;) {
      const { done, value } = await this.#watch.during(reader.read());
      if (done) return; // a line without an end is none
      const pieces = decoder.decode(value, { stream: true }).split("\n");
      const rest = pieces.pop();
      for (const piece of pieces) {
        yield parts.join("") + piece;
        parts = [];
      }
      parts.push(rest);
    }
  }

  close() {
    this.#watch.close();
  }
}

/** Says once for each server that anybody on the way to it can read the key. */
function warnUnencrypted({ protocol, host, hostname }) {
  const here = /^(.*\.)?localhost\.?$|^127\.|^\[::1\]$/.test(hostname);
  if (protocol === "https:" || here || warned.has(host)) return;
  warned.add(host);
  console.warn(`The API key goes to ${host} unencrypted, and whoever is on the way can read and use it: ask for https://`);
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
