/** A map of two-dimensional noise: every place of it is a picture, and the model draws the one that is pointed at. */

import { pixelCanvas } from "../parts/canvas.js";
import { classField } from "../parts/class.js";
import { h } from "../parts/dom.js";
import { seedControls } from "./explore-controls.js";
import { callNoise, drawPlaces, latest, oneSet, plane, replacing } from "./explore-draw.js";

const CELLS = 12; // a side
const REACH = 3; // the map shows -3 to 3 of both numbers: 99.5 % of all drawings
const SMALL = 0.1; // what an arrow key moves
const LARGE = (2 * REACH) / CELLS; // and with shift: a picture of the map
const KEYS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1],
  PageDown: [0, -LARGE / SMALL],
  PageUp: [0, LARGE / SMALL],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};

export const title = "A map of the noise";
export const sentence = "Two numbers make a picture: point at a place.";
export const suits = (model) => plane(model) !== null;

export function open({ context, model, params, signal, controls, stage, reveal, remember }) {
  const latent = plane(model);
  const rest = model.latents.filter(({ name }) => name !== latent.name);
  const seeds = seedControls({ seed: rest.length ? `Seed of the ${rest[0].name}` : "Seed" }, params, begin);
  const label = classField(model, params, begin);
  const { height, width } = model.image;
  const chart = pixelCanvas({ height: height * CELLS, width: width * CELLS }, "");
  const ink = chart.element.getContext("2d");
  const dot = h("span.explore-dot", {});
  const map = h(
    "div.explore-map",
    {
      role: "slider",
      tabindex: 0,
      "aria-label": "Place on the map",
      "aria-roledescription": "map",
      "aria-valuemin": -REACH,
      "aria-valuemax": REACH,
    },
    chart.element,
    dot,
  );
  const large = pixelCanvas(model.image, "Nothing is drawn yet");
  const words = h("p.number.explore-place", {}, "");
  const facts = h("p.hint.number.explore-facts", {}, "");
  const run = oneSet(context, signal, facts);
  const ask = latest(draw, signal, (error) => context.fail(error, begin));
  let kept = [coordinate(params.get("x")), coordinate(params.get("y"))]; // where the point returns to

  chart.element.setAttribute("aria-hidden", "true"); // the slider around it says where, the picture beside it what
  controls.append(...(label.element ? [label.element] : []), ...(rest.length ? [...seeds.elements, seeds.button] : []));
  stage.append(
    h(
      "section.panel",
      { "aria-label": "The map" },
      h("div.explore-head", {}, h("h2", {}, `Every place of ${model.name}'s noise`), facts),
      h(
        "div.explore-chart",
        {},
        h("div.explore-field", {}, axis("up", [REACH, 0, -REACH]), map, axis("across", [-REACH, 0, REACH])),
        h("div.explore-pointed", {}, large.element, words),
        h("div.explore-words", {}, ...explained(rest)),
      ),
    ),
  );
  map.onpointermove = (event) => moveTo(under(event), event.pointerType !== "mouse");
  map.onpointerdown = (event) => moveTo(under(event), true);
  map.onpointerleave = () => moveTo(kept, false);
  map.onkeydown = (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // the page would scroll
    const [x, y] = KEYS[event.key].map((side) => side * (event.shiftKey ? LARGE : SMALL));
    moveTo([within(kept[0] + x), within(kept[1] + y)], true);
  };
  begin();

  /** The map itself, once: as many pictures as it has cells, row by row. */
  function begin() {
    const { seed } = seeds.values;
    moveTo(kept, true);
    const centre = (index) => (2 * REACH * (index + 0.5)) / CELLS - REACH;
    const places = Array.from({ length: CELLS * CELLS }, (_, index) =>
      placeOf([centre(index % CELLS), -centre(Math.floor(index / CELLS))]),
    );
    const show = (index, bitmap) => {
      const [left, top] = [(index % CELLS) * width, Math.floor(index / CELLS) * height];
      if (bitmap) ink.drawImage(bitmap, left, top);
      else ink.clearRect(left, top, width, height);
    };
    const { onPicture, leave } = replacing(places.length, reveal, show);
    run(
      `${places.length} pictures`,
      (ended) => drawPlaces(context, model, places, { seed, signal: ended, onPicture, together: true }),
      leave,
      begin,
    );
  }

  function moveTo(next, keep) {
    const [x, y] = next.map(signed);
    map.style.setProperty("--x", String((next[0] + REACH) / (2 * REACH)));
    map.style.setProperty("--y", String((REACH - next[1]) / (2 * REACH)));
    map.setAttribute("aria-valuenow", next[0].toFixed(2));
    map.setAttribute("aria-valuetext", `${x} across, ${y} up`);
    words.textContent = `${x} across, ${y} up`;
    if (keep) {
      kept = next;
      remember({ ...(rest.length ? seeds.values : {}), label: label.value, x: next[0].toFixed(2), y: next[1].toFixed(2) });
    }
    ask(next);
  }

  function draw(place, stale) {
    return drawPlaces(context, model, [placeOf(place)], {
      seed: seeds.values.seed,
      signal: stale,
      onPicture(_, bitmap) {
        const [x, y] = place.map(signed);
        large.show(bitmap);
        large.describe(`What is drawn at ${x} across, ${y} up`);
      },
    });
  }

  function placeOf(place) {
    return { latents: { [latent.name]: Float32Array.from(place) }, label: label.value };
  }

  function under(event) {
    const box = map.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    return [within(2 * REACH * x - REACH), within(REACH - 2 * REACH * y)];
  }
}

function explained(rest) {
  return [
    h("p.hint", {}, "Move over the map, or press the arrow keys on it; with shift, a picture at a time. A click keeps the place."),
    h("p.hint", {}, `It shows −${REACH} to ${REACH} of both numbers. Both are normal noise, so most drawings come from the middle.`),
    rest.length > 0 &&
      h("p.hint", {}, `${callNoise(rest)} stays the same where you point; each picture of the map has its own.`),
  ].filter(Boolean);
}

/** The numbers along a side. */
function axis(side, numbers) {
  const words = numbers.map((number) => h("span", {}, String(number).replace("-", "−")));
  return h("div.explore-axis", { "data-side": side, "aria-hidden": "true" }, ...words);
}

/** Inside the map, to the hundredths that are shown. */
function within(number) {
  return Math.min(REACH, Math.max(-REACH, Math.round(number * 100) / 100));
}

function coordinate(text) {
  return text !== null && Number.isFinite(Number(text)) ? within(Number(text)) : 0;
}

function signed(number) {
  return `${number < 0 ? "−" : ""}${Math.abs(number).toFixed(2)}`;
}
