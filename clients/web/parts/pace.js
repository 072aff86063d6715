/** Shows what arrives one after another, each for long enough to be seen: most drawings take milliseconds. */

/**
 * @param {object} options
 * @param {number} options.ms Least time that each is shown.
 * @param {(item: T) => void} options.show
 * @param {AbortSignal} options.signal Ends it.
 * @template T
 */
export function pace({ ms, show, signal }) {
  const waiting = [];
  let timer = null;
  let ended = false;
  let settle;
  const over = new Promise((resolve) => (settle = resolve));

  function next() {
    timer = null;
    if (signal.aborted) return settle(false);
    if (!waiting.length) {
      if (ended) settle(true);
      return;
    }
    show(waiting.shift());
    timer = setTimeout(next, ms);
  }

  signal.addEventListener("abort", () => settle(false));
  return {
    push(item) {
      waiting.push(item);
      if (timer === null) next();
    },
    /** No more will come. Resolves when the last has been shown: true, or false if it was ended before. */
    end() {
      ended = true;
      if (timer === null) next();
      return over;
    },
  };
}

/** How long a step is shown: a drawing takes about a second and a half, and less where motion is unwelcome. */
export function stepMs(steps) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return 0;
  return Math.min(260, Math.max(50, 1500 / steps));
}
