/** How likely a model finds a picture: in nats and bits, and pixel by pixel where the bundle says so. */

import { pixelCanvas } from "../parts/canvas.js";
import { h } from "../parts/dom.js";

const UNKNOWN = "–";
const ROWS = ["Log-likelihood", "Bits a dimension", "Of it the pixels", "Test images, on average"];

const KINDS = {
  exact: "Exact: the product of the probabilities of all pixels, each given those before it.",
  bound: "A lower bound, for the latent behind the picture is not known. More draws would tighten it.",
  estimate: "An estimate, by the change of volume on the way back to the noise. More draws would steady it.",
};

export function likelihoodPanel() {
  const values = ROWS.map(() => h("dd", {}, UNKNOWN));
  const kindWords = h("p.hint.likelihood-kind", {}, "");
  const mapPlace = h("div.likelihood-map", {});
  const scaleEnd = h("span.number", {}, "");
  const pixelWords = h("p.hint.number.likelihood-pixel", {}, "");
  const map = h(
    "figure.likelihood-figure",
    {},
    mapPlace,
    h(
      "figcaption.hint",
      {},
      h("div.likelihood-scale", { "aria-hidden": "true" }),
      h("div.likelihood-ends", {}, h("span", {}, "expected"), scaleEnd),
    ),
  );
  const element = h(
    "section.panel.likelihood",
    { "aria-label": "How likely it is" },
    h(
      "div.likelihood-words",
      {},
      h("h2", {}, "How likely it is"),
      h("dl.figures", {}, ...ROWS.map((term, index) => h("div", {}, h("dt", {}, term), values[index]))),
      kindWords,
      pixelWords,
    ),
    map,
  );

  let canvas = null;
  let ink = null;
  let nats = null; // of each pixel, (H, W)
  let summary = "";
  let model = null;

  /** Fits the panel to a model. */
  function suit(next, average) {
    model = next;
    element.hidden = !model.likelihood_kind;
    canvas = pixelCanvas(model.image, "No map yet");
    ink = canvas.element.getContext("2d");
    canvas.element.onpointermove = point;
    canvas.element.onpointerleave = () => (pixelWords.textContent = summary);
    mapPlace.replaceChildren(canvas.element);
    kindWords.textContent = KINDS[model.likelihood_kind] ?? "";
    kindWords.textContent += " It adds up over the pixels, and ink costs: it measures how much there is as well as its form.";
    clear();
    values[3].textContent = UNKNOWN;
    average.then((value) => {
      if (model === next && value !== undefined) values[3].textContent = natsWords(-value);
    });
  }

  function clear() {
    for (const value of values.slice(0, 3)) value.textContent = UNKNOWN;
    nats = null;
    ink.clearRect(0, 0, canvas.element.width, canvas.element.height);
    canvas.describe("No map yet");
    summary = pixelWords.textContent = scaleEnd.textContent = "";
    map.hidden = false;
  }

  /** Shows an answer of the client; returns what it says, in words. */
  function show({ kind, nats: [total], bitsPerDim: [bits], pixels }) {
    const atLeast = { bound: "at least ", estimate: "about " }[kind] ?? "";
    values[0].textContent = atLeast + natsWords(total);
    values[1].textContent = ({ bound: "at most ", estimate: "about " }[kind] ?? "") + bits.toFixed(3);
    map.hidden = pixels === null;
    if (pixels) showMap(pixels[0]);
    else summary = pixelWords.textContent = "This bundle has no likelihood for each pixel.";
    return `log-likelihood ${atLeast}${natsWords(total)}`;
  }

  /** @param {number[][][]} channels Nats by channel, row and column. */
  function showMap(channels) {
    const { height, width } = canvas.element;
    nats = channels[0].map((row, y) => row.map((_, x) => channels.reduce((sum, plane) => sum + plane[y][x], 0)));
    const least = Math.min(...nats.flat());
    const picture = ink.createImageData(width, height);
    const place = { value: 0, x: 0, y: 0 };
    nats.forEach((row, y) =>
      row.forEach((value, x) => {
        picture.data.set([...pigment(value / (least || -1)), 255], 4 * (y * width + x));
        if (value < place.value) Object.assign(place, { value, x, y });
      }),
    );
    ink.putImageData(picture, 0, 0);
    values[2].textContent = natsWords(nats.flat().reduce((sum, value) => sum + value, 0));
    scaleEnd.textContent = `${natsWords(least)}: a surprise`;
    summary = `The greatest surprise: ${words(place)}.`;
    pixelWords.textContent = summary;
    canvas.describe(`How surprising each pixel is. ${summary}`);
  }

  function point(event) {
    if (!nats) return;
    const box = canvas.element.getBoundingClientRect();
    const y = Math.min(nats.length - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * nats.length)));
    const x = Math.min(nats[0].length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * nats[0].length)));
    pixelWords.textContent = `${words({ value: nats[y][x], x, y })}.`;
  }

  return { element, suit, clear, show };
}

const natsWords = (value) => `${value.toFixed(1).replace("-", "−")} nats`;

function words({ value, x, y }) {
  return `row ${y + 1}, column ${x + 1}, ${value.toFixed(2).replace("-", "−")} nats`;
}

/** From black over verdigris to nearly white, as the scale in autoencode.css: pictures are black in both themes. */
function pigment(part) {
  const stops = [
    [0, 0, 0],
    [27, 109, 106],
    [99, 194, 182],
    [232, 255, 249],
  ];
  const at = Math.min(1, Math.max(0, part)) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((value, channel) => value + (stops[low + 1][channel] - value) * (at - low));
}
