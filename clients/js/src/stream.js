/** A drawing as it comes. */

import { errorOf, PentimentoError, understood } from "./errors.js";
import { fromJson, toEnd, toFrame, toHeader } from "./wire.js";

/**
 * Frames, in a `for await`. Nothing is sent before that begins, and leaving it early cancels the drawing.
 */
export class FrameStream {
  #frames;

  /** Model, version, seed and steps; there with the first frame. */
  header = null;
  /** Timing, and of a drawing that starts from a picture that picture as the model saw it; there after the last frame. */
  end = null;

  /** Made by a Client. */
  constructor(connection, request, signal) {
    this.#frames = this.#run(connection, request, signal);
  }

  [Symbol.asyncIterator]() {
    return this.#frames;
  }

  /** The complete drawing: what `header` and `end` have, and all frames. */
  async drawing() {
    const frames = [];
    for await (const frame of this.#frames) frames.push(frame);
    return { ...this.header, ...this.end, frames };
  }

  async *#run(connection, request, signal) {
    // With the first line: what fails before a frame was given out can be tried again.
    const { answer, header, lines, first } = await connection.send(request, signal, async (answer) => {
      const header = understood(() => toHeader(answer.headers));
      const lines = answer.lines();
      return { answer, header, lines, first: await nextOf(lines) };
    });
    try {
      this.header = header;
      let line = first;
      for (; line.type === "frame"; line = await nextOf(lines)) yield understood(() => toFrame(line));
      await lines.next(); // the end of the body, so that the connection can be used again
      if (line.type === "error") throw errorOf(line, answer.headers);
      this.end = understood(() => toEnd(line));
    } finally {
      answer.close();
    }
  }
}

async function nextOf(lines) {
  const { done, value } = await lines.next();
  if (done) throw new PentimentoError("UNAVAILABLE", "the server ended the stream before the drawing was complete");
  return understood(() => fromJson(value));
}
