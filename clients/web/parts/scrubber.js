/** Back and forth over the steps of a drawing: a slider, and a button that plays them. */

import { h, newId } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @param {object} options
 * @param {(step: number) => void} options.onStep Told which step is to be shown, from 1.
 * @param {AbortSignal} options.signal Ends the playing.
 * @param {number} [options.frameMs]
 */
export function scrubber({ onStep, signal, frameMs = 280 }) {
  const id = newId("step");
  const slider = h("input", { type: "range", id, min: 1, max: 1, step: 1, value: 1, disabled: true });
  const words = h("output.scrubber-words", { for: id }, "Step –");
  const play = h("button.icon", { type: "button", disabled: true, onclick: toggle }, icon("play"));
  play.setAttribute("aria-label", "Play the steps");
  let steps = 1;
  let timer = null;

  slider.oninput = () => {
    pause();
    show(Number(slider.value), true);
  };
  signal.addEventListener("abort", pause);

  function show(step, tell) {
    slider.value = step;
    words.textContent = `Step ${step} of ${steps}`;
    slider.setAttribute("aria-valuetext", `step ${step} of ${steps}`);
    if (tell) onStep(step);
  }

  function toggle() {
    if (timer !== null) return pause();
    const start = Number(slider.value) >= steps ? 1 : Number(slider.value);
    show(start, true);
    play.replaceChildren(icon("pause"));
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next > steps) pause();
      else show(next, true);
    }, frameMs);
  }

  function pause() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    play.replaceChildren(icon("play"));
    play.setAttribute("aria-label", "Play the steps");
  }

  return {
    element: h(
      "div.scrubber",
      {},
      play,
      h("div.field", {}, h("label", { htmlFor: id }, h("span", {}, "Step back and forth"), words), slider),
    ),
    /** Begins anew, for a drawing of so many steps. */
    begin(count) {
      pause();
      steps = count;
      slider.max = String(count);
      slider.disabled = play.disabled = true;
      slider.value = 1;
      words.textContent = `Step – of ${count}`;
    },
    /** Steps 1 to `step` are there; it shows the last of them unless somebody is looking at another. */
    arrived(step) {
      const following = Number(slider.value) >= step - 1 && timer === null;
      slider.disabled = play.disabled = steps < 2;
      if (following) show(step, true);
    },
    /** Shows a step that is there. */
    go(step) {
      pause();
      show(step, true);
    },
    get step() {
      return Number(slider.value);
    },
  };
}
