// Compiles if the types say what the client does; it is not run.
import { Client, PentimentoError, type Frame, type Models, type Seed } from "pentimento-client";

const client = new Client(new URL("https://example.org/below/"), { apiKey: null, retries: 0, silenceMs: 1 });
const signal = AbortSignal.timeout(1000);

export async function use(file: File): Promise<void> {
  const stream = client.stream({ model: "m", n: 2, seed: 7n, labels: [1, 2], latents: { z: [[0.5], [1]] } }, { signal });
  for await (const frame of stream) show(frame);
  const seed: Seed | undefined = stream.header?.seed;
  const total: number | undefined = stream.end?.timing.totalUs;
  const drawing = await client.autoencode({ image: file, samples: 2, fit: "resize", scoreBy: "n" });
  const bytes: Uint8Array | null = drawing.input;
  const strip: Blob = await client.file({ image: file, scale: 2 }, "image/png");
  const address: string = client.address({ model: "m", seed: 7n, version: "1.0.0", labels: [1], scale: 2 }, "sse");
  console.log(address);
  const { values } = await client.score({ images: [file, new Uint8Array(1)] });
  const nats: number[] = (await client.likelihood({ images: [file], importanceSamples: 5, pixels: true })).nats;
  const again = await client.encode({ images: new Set([file]) });
  await client.generate({ latents: again.encoding, controls: { guidance: 2 } });
  const models: Models = await client.models();
  console.log(seed, total, bytes, strip.size, values, nats, models.models[0]?.score_kind, await client.metrics());
}

function show(frame: Frame): void {
  const picture = new Blob([frame.images[0] as Uint8Array<ArrayBuffer>]);
  if (frame.kind === "critic") console.log(picture, frame.values);
}

try {
  await client.model("m");
} catch (error) {
  if (error instanceof PentimentoError && error.code === "OVERLOADED") console.log(error.retryAfterS);
}

// @ts-expect-error: a misspelt option is found
client.stream({ step: 5 });
// @ts-expect-error: so is a completion without a mask
client.complete({ image: new Blob() });
// @ts-expect-error: latents are no part of an address
client.address({ model: "m", seed: 7, latents: {} }, "png");
// @ts-expect-error: a stream is made by a client
new (await import("pentimento-client")).FrameStream();
