/** The servers that the tests ask: `pytest tests/clients/test_js.py` starts them and says where they are. */

import { createServer } from "node:http";

import { Client } from "../src/index.js";

/** What pytest says; without it the tests fail, rather than test nothing. */
export function told(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by pytest tests/clients/test_js.py`);
  return value;
}

export function open(options) {
  return new Client(told("PENTIMENTO_URL"), options);
}

function picture(name) {
  return Uint8Array.from(atob(told(name)), (character) => character.charCodeAt(0));
}

/** Pictures as the toys take them, grey, 6 x 8: all black, all white, and the upper half white. */
export const BLACK = picture("PENTIMENTO_BLACK");
export const WHITE = picture("PENTIMENTO_WHITE");
export const HALF = picture("PENTIMENTO_HALF");

/** Whether bytes begin like a PNG file. */
export function isPng(bytes) {
  return bytes instanceof Uint8Array && bytes.length > 50 && String.fromCharCode(...bytes.slice(1, 4)) === "PNG";
}

/** Waits until the server has nothing in flight: what was cancelled is gone. */
export async function idle(client) {
  for (let tries = 0; tries < 200; tries++) {
    if (/^pentimento_rows_in_flight 0(\.0)?$/m.test(await client.metrics())) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** Another web server, for what a Pentimento server never does. Closed with the test `t`. */
export async function stranger(t, answer) {
  const seen = { requests: 0, connections: 0 };
  const server = createServer((request, response) => {
    seen.requests++;
    seen.url = request.url;
    request.resume();
    request.on("end", () => answer(response, seen));
  });
  server.on("connection", () => seen.connections++);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${server.address().port}` };
}
