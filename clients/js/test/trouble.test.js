/** Trying again, giving up, servers that are not there or are something else, and keys that others could read. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";

import { Client, PentimentoError } from "../src/index.js";
import { open, stranger, told } from "./server.js";

const HEADERS = {
  "Content-Type": "application/x-ndjson",
  "Pentimento-Model": "m",
  "Pentimento-Version": "1.0.0",
  "Pentimento-Seed": "1",
  "Pentimento-Steps": "2",
};
const apiKey = "key-aaaaaaaaaaaaaaaa";
const PNG = "iVBORw0KGgo=";
const frame = (step) => `{"type":"frame","step":${step},"images":["${PNG}"],"elapsed_us":1}\n`;
const DONE = '{"type":"done","seed":1,"timing":{"queue_us":1,"total_us":2}}\n';

function refuse(status, headers = {}) {
  return (response) => response.writeHead(status, headers).end("not Pentimento");
}

test("what the server refuses for now is tried again when it said", async () => {
  const client = new Client(told("PENTIMENTO_STRICT_URL")); // one request a second
  const start = Date.now();
  await client.generate({ steps: 1 });
  await client.generate({ steps: 1 });
  assert.ok(Date.now() - start > 500);
});

test("without retries the refusal is told, with the time to come back", async () => {
  const client = new Client(told("PENTIMENTO_STRICT_URL"), { retries: 0 });
  await assert.rejects(
    async () => {
      for (let i = 0; i < 5; i++) await client.models();
    },
    (error) => error.code === "OVERLOADED" && error.status === 429 && error.retryAfterS >= 1,
  );
});

test("it gives up after so many tries, with waits that are spread", async (t) => {
  const { url, seen } = await stranger(t, refuse(503, { "Retry-After": "0" }));
  const waits = [];
  t.mock.method(Math, "random", () => waits.push(1) && 0);
  await assert.rejects(new Client(url, { retries: 3 }).models(), { code: "UNAVAILABLE", status: 503 });
  assert.equal(seen.requests, 4);
  assert.equal(waits.length, 3);
});

test("what would not help is not tried again", async (t) => {
  const later = { "Retry-After": new Date(Date.now() + 3_600_000).toUTCString() };
  for (const [status, headers] of [[500, {}], [404, {}], [503, later], [429, { "Retry-After": "3600" }]]) {
    const { url, seen } = await stranger(t, refuse(status, headers));
    await assert.rejects(new Client(url).models(), (error) => {
      if (headers["Retry-After"]) assert.ok(Math.abs(error.retryAfterS - 3600) < 60);
      return error instanceof PentimentoError && error.status === status;
    });
    assert.equal(seen.requests, 1);
  }
});

test("no try begins after the request's own deadline, and the others have what is left", async (t) => {
  const { url, seen } = await stranger(t, refuse(429, { "Retry-After": "1" }));
  await assert.rejects(new Client(url).generate({ timeoutMs: 500 }), { code: "OVERLOADED" });
  assert.equal(seen.requests, 1);
  assert.match(seen.url, /timeout_ms=500/);
});

test("a connection that breaks before the first frame is tried again, and not after it", async (t) => {
  const before = await stranger(t, (response, { requests }) => {
    if (requests === 1) return response.socket.destroy();
    response.writeHead(200, HEADERS).end(frame(1) + DONE);
  });
  assert.equal((await new Client(before.url).generate()).frames.length, 1);
  assert.equal(before.seen.requests, 2);

  const after = await stranger(t, (response) => {
    response.writeHead(200, HEADERS).write(frame(1));
    setTimeout(() => response.socket.destroy(), 50);
  });
  const steps = [];
  await assert.rejects(
    async () => {
      for await (const { step } of new Client(after.url).stream()) steps.push(step);
    },
    (error) => error.code === "UNAVAILABLE" && /broke off/.test(error.message),
  );
  assert.deepEqual([steps, after.seen.requests], [[1], 1]);
});

test("a stream that ends without its last line is told", async (t) => {
  const { url } = await stranger(t, (response) => response.writeHead(200, HEADERS).end(frame(1)));
  await assert.rejects(new Client(url, { retries: 0 }).generate(), /ended the stream before the drawing was complete/);
});

test("lines are put together from chunks, wherever they are cut", async (t) => {
  const { url } = await stranger(t, async (response) => {
    response.writeHead(200, HEADERS);
    const text = frame(1) + frame(2) + DONE;
    for (let i = 0; i < text.length; i += 7) {
      response.write(text.slice(i, i + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  assert.deepEqual((await new Client(url).generate()).frames.map(({ step }) => step), [1, 2]);
});

test("connections are used again", async (t) => {
  const { url, seen } = await stranger(t, (response) => response.writeHead(200, HEADERS).end(frame(1) + DONE));
  const client = new Client(url);
  for (let i = 0; i < 20; i++) await client.generate();
  assert.equal(seen.requests, 20);
  assert.ok(seen.connections <= 3, `${seen.connections} connections`); // one may still be closing its answer
});

test("a server below a path", async (t) => {
  const { url, seen } = await stranger(t, (response) => response.end('{"models": [], "refused": []}'));
  await new Client(`${url}/below/here`).models();
  assert.equal(seen.url, "/below/here/models");
});

test("another fetch is used if one is given", async () => {
  const asked = [];
  const mine = (url, init) => asked.push(url) && fetch(url, init);
  await open({ fetch: mine }).models();
  assert.match(asked[0], /\/models$/);
});

test("nobody there", async () => {
  const client = new Client("http://127.0.0.1:1", { retries: 1 });
  await assert.rejects(client.models(), (error) => {
    assert.match(error.message, /^cannot reach http:\/\/127.0.0.1:1: /);
    return error.code === "UNAVAILABLE" && error.status === null;
  });
});

test("a server that says nothing is given up", async (t) => {
  const silent = createServer(() => {});
  await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
  t.after(() => silent.close());
  const client = new Client(`http://127.0.0.1:${silent.address().port}`, { silenceMs: 100 });
  await assert.rejects(client.models(), (error) => /in 0.1 s/.test(error.message) && error.code === "DEADLINE_EXCEEDED");
});

test("an abort ends the waiting for the next try", async (t) => {
  const { url, seen } = await stranger(t, refuse(503, { "Retry-After": "30" }));
  const start = Date.now();
  await assert.rejects(new Client(url).models({ signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
  assert.ok(Date.now() - start < 5000);
  assert.equal(seen.requests, 1);
});

test("another program's answer is an error of this client", async (t) => {
  const { url } = await stranger(t, (response) => response.end("<h1>It works</h1>"));
  await assert.rejects(new Client(url).models(), { code: "INTERNAL" });
  await assert.rejects(new Client(url).generate(), /not Pentimento's: the headers say nothing of a drawing/);
  const odd = await stranger(t, (response) => response.writeHead(200, HEADERS).end('{"type":"frame"}\n'));
  await assert.rejects(new Client(odd.url).generate(), { code: "INTERNAL" });
});

test("a key that goes elsewhere in plain is warned of, once for each server", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  for (let i = 0; i < 3; i++) new Client("http://nobody.invalid:8000", { apiKey });
  assert.equal(warn.mock.callCount(), 1);
  assert.match(warn.mock.calls[0].arguments[0], /API key goes to nobody\.invalid:8000 unencrypted.*https:\/\//);
  assert.ok(!warn.mock.calls[0].arguments[0].includes(apiKey));
  new Client("http://nobody-else.invalid", { apiKey });
  assert.equal(warn.mock.callCount(), 2);
});

test("nothing is said over TLS, nor on this machine, nor without a key", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  for (const url of ["https://secure.invalid", "http://localhost:1", "http://127.0.0.2:1", "http://[::1]:1", "http://a.localhost"]) {
    new Client(url, { apiKey });
  }
  new Client("http://keyless.invalid");
  assert.equal(warn.mock.callCount(), 0);
});
