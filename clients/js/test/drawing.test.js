/** Drawing against a real server: frames as they come, the same bytes for a seed, whole answers, cancellation. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { BLACK, HALF, idle, isPng, open, WHITE } from "./server.js";

const client = open();

test("a canvas comes with what its step put out", async () => {
  const { frames } = await client.generate({ model: "toy-looks", n: 2, seed: 3, boxes: true });
  assert.deepEqual(frames.map(({ outputs }) => outputs.age), [[[0], [0]], [[1], [1]], [[2], [2]]]);
  assert.ok(frames[2].outputs.write_box.every(([, , stride, width]) => stride === 3 && width === 0.5));
  const plain = await client.generate({ model: "toy-steps" });
  assert.deepEqual(plain.frames[0].outputs, {});
  const [box] = (await client.model("toy-looks")).outputs;
  assert.deepEqual([box.name, box.meaning, box.points], ["write_box", "box", 2]);
});

test("controls are set in drawings of all kinds, and refused out of range", async () => {
  const model = "toy-guided";
  const last = async (drawing) => (await drawing).frames.at(-1).images[0];
  const bytes = (picture) => Buffer.from(picture).toString("base64");
  const [low, high, usual, named] = await Promise.all(
    [{ tilt: -1 }, { tilt: 1 }, undefined, { tilt: 0.5 }].map((controls) => last(client.generate({ model, seed: 3, controls }))),
  );
  assert.notEqual(bytes(low), bytes(high));
  assert.equal(bytes(usual), bytes(named));
  const again = (tilt) => last(client.autoencode({ model, image: BLACK, controls: { tilt } }));
  assert.notEqual(bytes(await again(-1)), bytes(await again(1)));
  await assert.rejects(client.generate({ model, controls: { tilt: 3 } }), { message: "controls.tilt must be -2..2, got 3" });
  const [control] = (await client.model(model)).controls;
  assert.deepEqual([control.name, control.min, control.max, control.default], ["tilt", -2, 2, 0.5]);
});

test("an address has the same picture, for whoever only has an address", async () => {
  const request = { model: "toy-labels", seed: 7n, n: 2, labels: [2, 0], steps: 3, scale: 2 };
  const address = client.address({ ...request, version: "1.0.0" }, "png");
  assert.equal(new URL(address).pathname, "/drawings/toy-labels@1.0.0/7.png");
  const answer = await fetch(address);
  assert.match(answer.headers.get("Cache-Control"), /immutable/);
  const file = await client.file(request, "image/png");
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(await file.arrayBuffer()));
  const guided = await fetch(client.address({ model: "toy-guided", seed: 1, controls: { tilt: 1 }, scoreBy: undefined }, "json"));
  assert.equal((await guided.json()).seed, 1);
  assert.throws(() => client.address({ model: "toy-steps" }, "png"), { message: "seed is needed in an address" });
});

test("frames come step by step, with a header and an end", async () => {
  const drawing = client.stream({ model: "toy-steps", n: 2, steps: 4, seed: 7, score: true });
  assert.equal(drawing.header, null);
  const steps = [];
  for await (const frame of drawing) {
    steps.push(frame.step);
    assert.equal(drawing.header.seed, 7);
    assert.equal(drawing.end, null);
    assert.equal(frame.images.length, 2);
    assert.ok(frame.images.every(isPng));
    assert.equal(frame.kind, "discriminator");
    assert.ok(frame.values.every((value) => value > 0 && value < 1));
    const sigmoid = frame.logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    frame.values.forEach((value, i) => assert.ok(Math.abs(value - sigmoid[i]) < 1e-5));
    assert.ok(frame.elapsedUs > 0);
  }
  assert.deepEqual(steps, [1, 2, 3, 4]);
  const { model, steps: count, scoreKind, scoredBy } = drawing.header;
  assert.deepEqual([model, count, scoreKind, scoredBy.model], ["toy-steps", 4, "discriminator", "toy-steps"]);
  assert.ok(drawing.end.timing.totalUs >= drawing.end.timing.queueUs);
});

test("a critic's values are its scores, without a probability", async () => {
  const { frames } = await client.generate({ model: "toy-color", steps: 2, score: true });
  assert.equal(frames[1].kind, "critic");
  assert.deepEqual(frames[1].values, frames[1].logits);
});

test("a seed draws the same again, also one that no number can hold", async () => {
  const seed = 9_223_372_036_854_775_807n;
  const [first, again] = [await client.generate({ seed, steps: 2 }), await client.generate({ seed, steps: 2 })];
  assert.equal(first.seed, seed);
  assert.deepEqual(first.frames.map((f) => f.images), again.frames.map((f) => f.images));
  const other = await client.generate({ seed: seed - 1n, steps: 2 });
  assert.notDeepEqual(first.frames[1].images, other.frames[1].images);
});

test("without a seed the server's is told, and draws the same", async () => {
  const first = await client.generate({ n: 2 });
  assert.equal(typeof first.seed, "number");
  const again = await client.generate({ n: 2, seed: first.seed });
  assert.deepEqual(first.frames.at(-1).images, again.frames.at(-1).images);
});

test("labels, latents and seeds of a noise", async () => {
  const { frames } = await client.generate({ model: "toy-labels", labels: [0, 1, 2], seed: 1 });
  assert.equal(frames[0].images.length, 3);
  const detail = await client.model("toy-steps");
  const [whole, called] = detail.latents;
  assert.deepEqual([whole.per, called.per], ["drawing", "call"]);
  const image = () => Array.from({ length: 6 }, () => new Float32Array(8));
  const black = await client.generate({ latents: { [whole.name]: [[image()], [image()]] }, steps: 1, seed: 2 });
  assert.equal(black.frames[0].images.length, 2);
  const one = await client.generate({ seed: 1, seeds: { [called.name]: 5n }, steps: 3 });
  const two = await client.generate({ seed: 1, seeds: { [called.name]: 6 }, steps: 3 });
  assert.notDeepEqual(one.frames[2].images, two.frames[2].images);
});

test("a break cancels the drawing on the server", async () => {
  for await (const frame of client.stream({ model: "toy-slow", n: 4, steps: 64 })) {
    assert.equal(frame.step, 1);
    break;
  }
  assert.ok(await idle(client));
});

test("an abort cancels it, and rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const drawing = client.stream({ model: "toy-slow", n: 4, steps: 64 }, { signal: controller.signal });
  const frames = drawing[Symbol.asyncIterator]();
  await frames.next();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(
    async () => {
      for await (const _ of drawing);
    },
    (error) => error === controller.signal.reason && error.name === "AbortError",
  );
  assert.ok(await idle(client));
});

test("what is aborted before sends nothing", async () => {
  const reason = new Error("changed my mind");
  await assert.rejects(client.generate({}, { signal: AbortSignal.abort(reason) }), reason);
});

test("a stream that nobody reads sends nothing", async () => {
  client.stream({ model: "no such model" });
});

test("drawings at once do not mix", async () => {
  const seeds = Array.from({ length: 12 }, (_, i) => i % 3);
  const drawings = await Promise.all(seeds.map((seed) => client.generate({ seed, n: 2 })));
  drawings.forEach(({ frames }, i) => assert.deepEqual(frames.at(-1), { ...drawings[i % 3].frames.at(-1), elapsedUs: frames.at(-1).elapsedUs }));
});

test("a reconstruction has its picture and its encoding", async () => {
  const drawing = await client.autoencode({ model: "toy-code", image: new Blob([BLACK]), samples: 3, seed: 1 });
  assert.equal(drawing.frames.at(-1).images.length, 3);
  assert.ok(isPng(drawing.input));
  assert.equal(drawing.encoding.latent.length, 3);
  for await (const frame of client.streamAutoencode({ model: "toy-code", image: WHITE, scoreBy: "toy-steps" })) {
    assert.equal(frame.kind, "discriminator");
  }
});

test("a completion says what its pixels could see", async () => {
  const drawing = await client.complete({ model: "toy-black", image: BLACK, mask: HALF, n: 2 });
  assert.equal(drawing.frames.at(-1).images.length, 2);
  assert.equal(typeof drawing.conditioning, "string");
  let frames = 0;
  for await (const _ of client.streamComplete({ model: "toy-black", image: BLACK, mask: HALF, steps: 3 })) frames++;
  assert.equal(frames, 3);
});

test("files are what was asked for", async () => {
  const kinds = { "image/png": "\x89PNG", "image/gif": "GIF8", "image/apng": "\x89PNG", "application/x-npy": "\x93NUM" };
  for (const [kind, magic] of Object.entries(kinds)) {
    const file = await client.file({ seed: 1, n: 2 }, kind);
    assert.equal(file.type, kind);
    const bytes = new Uint8Array(await file.arrayBuffer());
    assert.equal(String.fromCharCode(...bytes.slice(0, 4)), magic);
  }
  const small = await client.file({ seed: 1 }, "image/png");
  assert.ok((await client.file({ seed: 1, scale: 8 }, "image/png")).size > small.size);
  assert.ok((await client.file({ model: "toy-code", image: BLACK }, "image/png")).size > 50);
  assert.ok((await client.file({ model: "toy-black", image: BLACK, mask: HALF }, "image/gif")).size > 50);
});
