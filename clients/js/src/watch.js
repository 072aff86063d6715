/** Why a request ended before its answer: somebody aborted it, nobody answered, or the connection broke. */

import { PentimentoError } from "./errors.js";

export class Watch {
  #controller = new AbortController();
  #outer;
  #silenceMs;
  #where;
  #silent = false;
  #answered = false;
  #end = () => this.#controller.abort();

  /**
   * @param {AbortSignal | undefined} outer The caller's own signal.
   * @param {number} silenceMs The longest wait for the next part of an answer.
   * @param {string} where Whom the request goes to, for the message.
   */
  constructor(outer, silenceMs, where) {
    outer?.throwIfAborted();
    this.#outer = outer;
    this.#silenceMs = silenceMs;
    this.#where = where;
    outer?.addEventListener("abort", this.#end);
  }

  /** For fetch. */
  get signal() {
    return this.#controller.signal;
  }

  /** The answer has begun. */
  answered() {
    this.#answered = true;
  }

  /**
   * Waits for the next part of an answer.
   *
   * @throws PentimentoError, or the reason of the caller's signal.
   */
  async during(promise) {
    const timer = setTimeout(() => {
      this.#silent = true;
      this.#end();
    }, this.#silenceMs);
    try {
      return await promise;
    } catch (error) {
      if (this.#outer?.aborted) throw this.#outer.reason;
      if (this.#silent) {
        const message = `no answer from ${this.#where} in ${this.#silenceMs / 1000} s`;
        throw new PentimentoError("DEADLINE_EXCEEDED", message, { cause: error });
      }
      // Browsers do not say why; Node does, in the cause.
      const reason = error.cause?.message || error.message;
      const message = this.#answered
        ? `the connection to ${this.#where} broke off: ${reason}`
        : `cannot reach ${this.#where}: ${reason}`;
      throw new PentimentoError("UNAVAILABLE", message, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hangs up, unless the answer is complete. */
  close() {
    this.#outer?.removeEventListener("abort", this.#end);
    this.#end();
  }
}
