/** What a link to a drawing asks for, as far as it can be had, and in words what was changed and why. */

const MAX_SEED = Number.MAX_SAFE_INTEGER; // the server takes more than a JavaScript number holds
const OWN = ["model", "n", "steps", "seed", "label", "judge"];

export const MOST = 24; // canvases at a time
export const DRAWINGS = 12; // by default: two rows on a desk, four on a phone
export const NOBODY = "none";

/** The models that draw from nothing. */
export function drawing(models) {
  return models.filter((model) => model.operations.includes("generate"));
}

/** Those with a scorer of pictures like a model's, without the model itself. */
export function judgesOf(model, models) {
  // A scorer of pairs judges pictures with its own latents, which those of another model are not.
  return models.filter((other) => judges(other) && other.name !== model.name && sameSize(other, model));
}

/**
 * @param {URLSearchParams} params
 * @param {object[]} models All that are served.
 * @returns {{ wanted: object, changed: string[] }} `wanted` has the model, and of the rest what the link says and the
 *   model can; `changed` a sentence for each of what it cannot.
 */
export function readLink(params, models) {
  const changed = [];
  const able = drawing(models);
  const named = params.get("model");
  const model = able.find(({ name }) => name === named) ?? able.find((one) => one.default) ?? able[0] ?? null;
  if (!model) return { wanted: { model }, changed };
  if (named !== null && named !== model.name) {
    const why = models.some(({ name }) => name === named) ? "does not draw from nothing" : "is not served here";
    changed.push(`${named} ${why}: this is ${model.name}.`);
  }
  const { min, max } = model.steps;
  const wanted = {
    model,
    n: whole("n", DRAWINGS, 1, MOST, `this page draws 1 to ${MOST} canvases`),
    steps: whole("steps", model.steps.default, min, max, `${model.name} shows ${min === max ? min : `${min} to ${max}`}`),
    seed: seedOf(params, changed),
    label: labelOf(model, params.get("label"), changed),
    judge: judgeOf(model, models, params.get("judge"), changed),
    controls: controlsOf(model, params, changed),
  };
  const known = [...OWN, ...(model.controls ?? []).map(({ name }) => name)];
  for (const name of new Set(params.keys())) {
    if (!known.includes(name)) changed.push(`${name} is nothing that ${model.name} can be asked for: it is left out.`);
  }
  return { wanted, changed };

  function whole(name, usual, low, high, limits) {
    const text = params.get(name);
    if (text === null) return usual;
    const value = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : null;
    if (value !== null && value >= low && value <= high) return value;
    const taken = value === null ? usual : Math.min(high, Math.max(low, value));
    changed.push(`${name} was ${short(text)}, and ${limits}: it is ${taken}.`);
    return taken;
  }
}

function seedOf(params, changed) {
  const text = params.get("seed");
  if (text === null || (/^[0-9]{1,16}$/.test(text) && Number(text) <= MAX_SEED)) return text === null ? null : Number(text);
  changed.push(`seed was ${short(text)}, and a seed here is a whole number from 0 to ${MAX_SEED}: this one is new, and not kept.`);
  return null;
}

function labelOf(model, text, changed) {
  if (text === null) return null;
  if (!model.labels) {
    changed.push(`label was ${short(text)}, and ${model.name} cannot be asked for a class: it is left out.`);
    return null;
  }
  const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : model.labels.findIndex((name) => name.toLowerCase() === text.toLowerCase());
  if (model.labels[number] !== undefined) return number;
  changed.push(`label was ${short(text)}, and ${model.name} has the classes ${model.labels.join(", ")}: it draws one after another.`);
  return null;
}

function judgeOf(model, models, name, changed) {
  const usual = model.score_kind ? model.name : NOBODY;
  if (name === null) return usual;
  const known = [NOBODY, ...judgesOf(model, models).map((other) => other.name), ...(model.score_kind ? [model.name] : [])];
  if (known.includes(name)) return name;
  const other = models.find((one) => one.name === name);
  const why = !other ? "is not served here" : judges(other) ? `judges pictures of another size than ${model.name}'s` : "cannot judge these";
  changed.push(`judge was ${short(name)}, which ${why}: it is ${usual === NOBODY ? "nobody" : usual}.`);
  return usual;
}

function controlsOf(model, params, changed) {
  const values = {};
  for (const { name, min, max, default: usual } of model.controls ?? []) {
    const text = params.get(name);
    if (text === null) continue;
    const value = text.trim() === "" ? NaN : Number(text);
    values[name] = Number.isNaN(value) ? usual : Math.min(max, Math.max(min, value));
    if (values[name] !== value) changed.push(`${name} was ${short(text)}, and goes from ${min} to ${max}: it is ${values[name]}.`);
  }
  return values;
}

function judges(model) {
  return Boolean(model.score_kind) && !model.score_takes.length;
}

function sameSize({ image }, model) {
  return ["channels", "height", "width"].every((side) => image[side] === model.image[side]);
}

/** Text of a link as it can be shown in a line. */
function short(text) {
  return text === "" ? "empty" : `“${text.length > 24 ? `${text.slice(0, 24)}…` : text}”`;
}
