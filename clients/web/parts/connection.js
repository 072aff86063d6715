/** Whether the server is there: asks it now and then, and often while it is away. */

const CALM_MS = 4000; // between looks at a server that answered
const WAITS_MS = [400, 800, 1500, 3000]; // between tries at one that did not; the last repeats
const PATIENCE_MS = 5000; // for an answer

/**
 * States: "connecting", "online", "draining" (it shuts down and takes no new work), "offline".
 * Fires "change" when the state changes, and "back" when a server that was away answers again.
 */
export class Connection extends EventTarget {
  #url;
  #timer = null;
  #failures = 0;
  #wasAway = false;
  state = "connecting";

  /** @param {string} url Of the server's `/readyz`. */
  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("visibilitychange", () => !document.hidden && this.check());
    addEventListener("online", () => this.check());
  }

  /** Looks now: at the start, and when a request found nobody. */
  async check() {
    clearTimeout(this.#timer);
    const state = await this.#look();
    this.#failures = state === "online" ? 0 : this.#failures + 1;
    this.#become(state);
    const wait = this.#failures ? WAITS_MS[Math.min(this.#failures, WAITS_MS.length) - 1] : CALM_MS;
    clearTimeout(this.#timer); // two looks may have overlapped
    if (!document.hidden) this.#timer = setTimeout(() => this.check(), wait);
    return state;
  }

  async #look() {
    try {
      const answer = await fetch(this.#url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      return answer.ok ? "online" : "draining";
    } catch {
      return "offline";
    }
  }

  #become(state) {
    const changed = state !== this.state;
    this.state = state;
    const back = state === "online" && this.#wasAway;
    this.#wasAway = state !== "online" && (this.#wasAway || state !== "connecting");
    if (changed) this.dispatchEvent(new Event("change"));
    if (back) this.dispatchEvent(new Event("back"));
  }
}

/** A state in a word or two. */
export const STATE_WORDS = {
  connecting: "Connecting",
  online: "Connected",
  draining: "Shutting down",
  offline: "Reconnecting",
};
