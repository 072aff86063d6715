/** What is asked about pictures and about the server, and how it fails, against a real server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, PentimentoError } from "../src/index.js";
import { BLACK, isPng, open, told, WHITE } from "./server.js";

const client = open();

/** The PentimentoError that a promise is rejected with. */
async function errorOf(promise) {
  const error = await promise.then(
    () => assert.fail("nothing went wrong"),
    (reason) => reason,
  );
  assert.ok(error instanceof PentimentoError, String(error));
  return error;
}

test("scores", async () => {
  const score = await client.score({ model: "toy-steps", images: [BLACK, new Blob([WHITE])] });
  assert.equal(score.kind, "discriminator");
  assert.ok(score.values[1] > score.values[0]);
  assert.equal(score.logits.length, 2);
  assert.ok(score.timing.totalUs > 0);
});

test("scores of pairs and of groups", async () => {
  const images = [BLACK, new Blob([WHITE])];
  const { encoding } = await client.encode({ model: "toy-pairs", images });
  const pairs = await client.score({ model: "toy-pairs", images, latents: encoding });
  const z = [0, 4]; // the sum of four latents, each the picture's mean
  // 8 (mean - 1/2) + z + the index of the last step
  assert.deepEqual(pairs.logits.map(Math.round), [-4 + z[0] + 1, 4 + z[1] + 1]);
  assert.equal(pairs.group, false);
  const group = await client.score({ model: "toy-pairs", images, latents: encoding, group: true });
  assert.deepEqual(group.logits.map(Math.round), [-4 + z[0], 0 + z[0] + z[1]]);
  assert.equal(group.group, true);
  const error = await errorOf(client.score({ model: "toy-pairs", images }));
  assert.equal(error.field, "latents.z");
  const model = await client.model("toy-pairs");
  assert.deepEqual([model.score_takes, model.group_size], [["z"], 3]);
});

test("an encoding can be drawn", async () => {
  const encoding = await client.encode({ model: "toy-code", images: [BLACK, WHITE], seed: 3 });
  assert.ok(encoding.inputs.every(isPng));
  assert.equal(encoding.seed, 3);
  const { latent } = encoding.encoding;
  const { frames } = await client.generate({ model: "toy-code", latents: { latent } });
  assert.equal(frames[0].images.length, 2);
});

test("likelihoods", async () => {
  const bound = await client.likelihood({ model: "toy-code", images: [WHITE], importanceSamples: 5, seed: 2n });
  assert.deepEqual([bound.kind, bound.importanceSamples, bound.seed], ["bound", 5, 2]);
  assert.equal(bound.pixels, null);
  const exact = await client.likelihood({ model: "toy-black", images: [BLACK, WHITE], pixels: true });
  assert.equal(exact.kind, "exact");
  assert.deepEqual(exact.nats.map(Math.abs), [0, 48]);
  assert.ok(Math.abs(exact.bitsPerDim[1] - 1 / Math.LN2) < 1e-6);
  assert.equal(exact.pixels[1][0][5][7], -1);
});

test("models as the server says it", async () => {
  const { models, refused } = await client.models();
  const toy = models.find(({ name }) => name === "toy-steps");
  assert.equal(toy.default, true);
  assert.deepEqual(toy.image, { ...toy.image, channels: 1, height: 6, width: 8 });
  assert.deepEqual(refused, []);
  assert.ok((await client.model("toy-steps")).manifest.drawing);
});

test("metrics are text", async () => {
  assert.match(await client.metrics(), /^# HELP pentimento_/m);
});

test("a refusal has all that the server says", async () => {
  const error = await errorOf(client.generate({ steps: 900 }));
  assert.equal(error.code, "INVALID_ARGUMENT");
  assert.equal(error.field, "steps");
  assert.equal(error.status, 400);
  assert.match(error.message, /^steps must be 1\.\./);
  assert.match(error.requestId, /^[0-9a-f]{16}$/);
  assert.equal(error.retryAfterS, null);
});

test("other refusals", async () => {
  assert.equal((await errorOf(client.model("no such/model"))).code, "NOT_FOUND");
  assert.equal((await errorOf(client.generate({ timeoutMs: -5 }))).field, "timeout_ms");
  assert.equal((await errorOf(client.generate({ misspelt: 1 }))).field, "misspelt");
  assert.equal((await errorOf(client.score({ model: "toy-steps", images: [new Uint8Array(9)] }))).code, "INVALID_ARGUMENT");
  assert.equal((await errorOf(client.autoencode({ model: "toy-steps", image: BLACK }))).code, "UNSUPPORTED");
});

test("a drawing that fails on its way says after which step", async () => {
  const latent = Array.from({ length: 6 }, () => Array(8).fill(1000));
  const drawing = client.stream({ model: "toy-fragile", steps: 6, latents: { latent: [[latent]] } });
  const steps = [];
  const error = await errorOf(
    (async () => {
      for await (const frame of drawing) steps.push(frame.step);
    })(),
  );
  assert.equal(error.code, "INFERENCE_FAILED");
  assert.equal(error.step, steps.length);
  assert.ok(steps.length > 0);
});

test("a deadline is the server's", async () => {
  const error = await errorOf(client.generate({ model: "toy-slow", n: 4, steps: 64, timeoutMs: 30 }));
  assert.equal(error.code, "DEADLINE_EXCEEDED");
});

test("mistakes of the caller are told at once", async () => {
  assert.throws(() => new Client("grpc://localhost:1"), /must be http:/);
  assert.throws(() => new Client("nowhere"), TypeError);
  assert.throws(
    () => new Client("http://localhost:1", { apiKey: "geheim\n" }),
    (error) => /apiKey must be visible/.test(error.message) && !/geheim/.test(error.message),
  );
  await assert.rejects(client.autoencode({ model: "toy-code" }), /image is needed/);
  await assert.rejects(client.complete({ model: "toy-black", image: BLACK }), /mask is needed/);
  await assert.rejects(client.generate({ timeoutMs: "1 s" }), /timeoutMs must be a number/);
});

test("a key, over TLS with an authority of one's own", async () => {
  const url = told("PENTIMENTO_KEYED_URL"); // its authority is in NODE_EXTRA_CA_CERTS
  const keyed = new Client(url, { apiKey: told("PENTIMENTO_KEY") });
  assert.ok((await keyed.models()).models.length > 0);
  assert.equal((await keyed.generate({ n: 2 })).frames.at(-1).images.length, 2);
  assert.ok((await keyed.metrics()).length > 0);
  for (const apiKey of [null, "wrong-wrong-wrong-wrong"]) {
    const error = await errorOf(new Client(url, { apiKey }).generate());
    assert.deepEqual([error.code, error.status], ["UNAUTHENTICATED", 401]);
  }
});
