/** Client of Pentimento: image generators that draw step by step. */

export { Client } from "./client.js";
export { PentimentoError } from "./errors.js";
export { FrameStream } from "./stream.js";
