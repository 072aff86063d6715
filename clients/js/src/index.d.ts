/** Client of Pentimento: image generators that draw step by step. */

/** The bytes of a PNG or JPEG file, or a Blob or File of them. */
export type Picture = Blob | Uint8Array | ArrayBuffer;

/** A seed in [0, 2^63 - 1]: a bigint where a number would not be exact. */
export type Seed = number | bigint;

/** Nested arrays of numbers; typed arrays may be their innermost level. */
export type Numbers = readonly number[] | Float32Array | Float64Array | readonly Numbers[];

export type ScoreKind = "discriminator" | "critic";

export interface ClientOptions {
  /** For servers that want one. */
  apiKey?: string | null;
  /** How often what was refused for now, or reached nobody, is tried again; by default 4. */
  retries?: number;
  /** The longest wait for the next part of an answer, in milliseconds; by default 11 minutes. */
  silenceMs?: number;
  /** Another fetch, for a proxy, or in Node a client certificate. */
  fetch?: typeof globalThis.fetch | null;
}

export interface CallOptions {
  /** Ends the request when it is aborted, and with it what the server does for it. */
  signal?: AbortSignal;
}

interface Asked {
  /** A served model; by default the server's. */
  model?: string;
  /** Class to draw, or of the pictures, for models with labels: a name of `labels` of the model,
   * in whatever case, or its index. */
  label?: number | string;
  /** Milliseconds after which the server gives up; by default its own limit. Bounds trying again, too. */
  timeoutMs?: number;
}

interface Drawn extends Asked {
  /** Canvases to show; by default the model's own number. */
  steps?: number;
  /** Seed of all noise; by default the server chooses one, and tells it. */
  seed?: Seed;
  /** Whether the model's scorer judges every canvas. */
  score?: boolean;
  /** A model whose scorer judges every canvas instead of the model's own; implies `score`. */
  scoreBy?: string;
  /** True refuses a model whose canvases come without attention boxes; a strip or an animation shows them. */
  boxes?: boolean;
  /** Values of the model's controls by name; by default their own. */
  controls?: Readonly<Record<string, number>>;
}

export interface DrawRequest extends Drawn {
  /** Images to draw; by default as many as the latents that are given, or else 1. */
  n?: number;
  /** Classes to draw, one for each of the n images, instead of `label` for all of them. */
  labels?: readonly (number | string)[];
  /** Noise by name instead of from the seed, (n, ...) or, for noise per call, (n, calls, ...). */
  latents?: Readonly<Record<string, Numbers>>;
  /** Seeds by the name of a noise that shall not use `seed`: the levels of a model, one at a time. */
  seeds?: Readonly<Record<string, Seed>>;
}

interface Fitted {
  /** What to do with a picture of another size or colour mode: refuse it (the default), or resize and convert. */
  fit?: "exact" | "resize";
}

export interface AutoencodeRequest extends Drawn, Fitted {
  image: Picture;
  /** Reconstructions, each from a draw of its own; by default 1. */
  samples?: number;
}

export interface CompleteRequest extends Drawn, Fitted {
  image: Picture;
  /** Of the model's size: white where pixels are given, black where they are to be drawn. */
  mask: Picture;
  /** Completions, each from noise of its own; by default 1. */
  n?: number;
}

/** `scale`: pixels of a strip or animation for each pixel of a canvas, 1 to 16. */
export type FileRequest = (DrawRequest | AutoencodeRequest | CompleteRequest) & { scale?: number };

/** What an address says: a model, a seed, and what else decides a picture. */
export type AddressRequest = Omit<DrawRequest, "latents" | "seeds" | "timeoutMs"> & {
  model: string;
  seed: Seed;
  /** Of the model: no other is drawn then, and the answer may be kept for ever. */
  version?: string;
  scale?: number;
};

export type AddressEnding = "png" | "gif" | "apng" | "npy" | "json" | "sse";

export type FileType = "image/png" | "image/gif" | "image/apng" | "application/x-npy";

interface ReadRequest extends Asked, Fitted {
  images: Iterable<Picture>;
}

export interface ScoreRequest extends ReadRequest {
  /** By name, (n, ...), for a scorer that judges pairs (`score_takes` of the model): an encoding, say. */
  latents?: Readonly<Record<string, Numbers>>;
  /** Judge the pictures together, at most `group_size` of the model: score i is about the first i + 1. */
  group?: boolean;
}

export interface EncodeRequest extends ReadRequest {
  /** Seed of all noise; by default the server chooses one, and tells it. */
  seed?: Seed;
}

export interface LikelihoodRequest extends EncodeRequest {
  /** Draws for each image, by default 1; more make a bound tighter. An exact model takes 1 only. */
  importanceSamples?: number;
  /** Whether to answer with the log-likelihood of each pixel too, where the model has it. */
  pixels?: boolean;
}

/** A scorer's opinion of n images; more is more real. */
export interface Opinion {
  /** null: no scores were asked for. */
  kind: ScoreKind | null;
  /** Of a discriminator the probability of `real`; of a critic its score, which is unbounded and comparable only
   * within one model. null for an image: the server could not say. */
  values: (number | null)[] | null;
  /** Of a discriminator its logits; of a critic its scores again. */
  logits: (number | null)[] | null;
}

/** One shown canvas of every image of a drawing. */
export interface Frame extends Opinion {
  /** From 1. */
  step: number;
  /** PNG files, one an image. */
  images: Uint8Array[];
  /** What else the step put out, by name, one an image; see `outputs` of the model. */
  outputs: Record<string, Numbers[]>;
  /** Microseconds from admission to this canvas, on the server. */
  elapsedUs: number;
}

/** Microseconds from admission, on the server. */
export interface Timing {
  queueUs: number;
  totalUs: number;
}

export interface DrawingHeader {
  model: string;
  version: string;
  /** The seed used, whether it was given or not. */
  seed: Seed;
  steps: number;
  /** Of the scorer that judges; null: no scores were asked for. */
  scoreKind: ScoreKind | null;
  /** Whose scorer that is. */
  scoredBy: { model: string; version: string } | null;
}

export interface DrawingEnd {
  timing: Timing;
  /** The given picture as the model saw it, a PNG file; null: there was none. */
  input: Uint8Array | null;
  /** Of a reconstruction: by output of the encoder, (n, ...). */
  encoding: Record<string, Numbers> | null;
  /** Of a completion: what the drawn pixels could see of the given ones. */
  conditioning: string | null;
}

export interface Drawing extends DrawingHeader, DrawingEnd {
  frames: Frame[];
}

export interface Score extends Opinion {
  model: string;
  version: string;
  kind: ScoreKind;
  values: (number | null)[];
  logits: (number | null)[];
  /** Whether score i is about pictures 0 to i together. */
  group: boolean;
  timing: Timing;
}

export interface Encoding {
  model: string;
  version: string;
  seed: Seed;
  /** The pictures as the model saw them, PNG files. */
  inputs: Uint8Array[];
  /** By output of the encoder, (n, ...); latents can be given to `generate`. */
  encoding: Record<string, Numbers>;
  timing: Timing;
}

export interface Likelihood {
  model: string;
  version: string;
  seed: Seed;
  kind: "exact" | "bound" | "estimate";
  importanceSamples: number;
  /** The pictures as the model saw them, PNG files. */
  inputs: Uint8Array[];
  /** Log-likelihood of each image, a lower bound of it or an estimate. */
  nats: number[];
  /** Of `nats`, where they are estimates from two draws or more. */
  standardErrors: number[] | null;
  /** -nats / (ln 2 * C * H * W). */
  bitsPerDim: number[];
  /** Nats of each pixel, (n, C, H, W), when asked for. */
  pixels: Numbers | null;
  timing: Timing;
}

export interface FrameOutput {
  name: string;
  meaning: "box" | "plain";
  points: number | null;
  summary: string;
}

/** A served model, in the server's own spelling. */
export interface Model {
  name: string;
  version: string;
  family: string;
  summary: string;
  /** Whether requests that name no model get this one. */
  default: boolean;
  /** "generate", "autoencode", "complete", "encode", "score", "likelihood": what can be asked of it. */
  operations: string[];
  image: {
    channels: number;
    height: number;
    width: number;
    /** Values that a channel of a pixel takes in its data, where that is stated. */
    levels: number | null;
    /** How its data became black and white, where it did. */
    binarisation: "sample" | "threshold" | null;
  };
  steps: { default: number; min: number; max: number; trained: number; best?: number } | null;
  latents: { name: string; shape: number[]; prior: "normal" | "uniform"; per: "drawing" | "call" }[];
  /** What comes with each canvas. A `box` is a grid of `points` x `points` filters on the image, four numbers in
   * pixels from the centre of the first pixel: x and y of its centre, distance between filters, and their width. */
  outputs: FrameOutput[];
  /** Numbers that a request for a drawing may set, each within its range. */
  controls: { name: string; min: number; max: number; default: number; summary: string }[];
  labels: string[] | null;
  score_kind: ScoreKind | null;
  /** Latents that the scorer judges a picture with; none for most. */
  score_takes: string[];
  /** Pictures that the scorer can judge together, at most. */
  group_size: number | null;
  likelihood_kind: "exact" | "bound" | "estimate" | null;
  completion: "raster" | "everywhere" | null;
}

export interface ModelDetail extends Model {
  manifest: Record<string, unknown>;
}

export interface Models {
  models: Model[];
  /** Folders that are not served, and why. */
  refused: { name: string; reason: string }[];
}

/** A drawing as it comes. Nothing is sent before the iteration begins; leaving it early cancels the drawing. */
export class FrameStream implements AsyncIterable<Frame> {
  private constructor();
  /** There with the first frame. */
  readonly header: DrawingHeader | null;
  /** There after the last frame. */
  readonly end: DrawingEnd | null;
  [Symbol.asyncIterator](): AsyncGenerator<Frame, void, void>;
  /** The complete drawing. */
  drawing(): Promise<Drawing>;
}

/** A Pentimento server. Every failure is a PentimentoError, but an aborted signal, which rejects with its reason. */
export class Client {
  /** @param url `http://HOST:PORT`, also `https:` and below a path. */
  constructor(url: string | URL, options?: ClientOptions);
  /** Draws images, and gives every canvas as it is drawn. */
  stream(request?: DrawRequest, options?: CallOptions): FrameStream;
  /** Encodes a picture and draws it again: the same. */
  streamAutoencode(request: AutoencodeRequest, options?: CallOptions): FrameStream;
  /** Keeps the pixels of a picture where the mask is white, and draws the others: the same. */
  streamComplete(request: CompleteRequest, options?: CallOptions): FrameStream;
  /** A whole drawing. */
  generate(request?: DrawRequest, options?: CallOptions): Promise<Drawing>;
  /** A whole reconstruction. */
  autoencode(request: AutoencodeRequest, options?: CallOptions): Promise<Drawing>;
  /** A whole completion. */
  complete(request: CompleteRequest, options?: CallOptions): Promise<Drawing>;
  /** A drawing as a file: a film strip, an animation, an array. With an `image` it is a reconstruction, with a `mask`
   * besides a completion. */
  file(request: FileRequest, accept: FileType, options?: CallOptions): Promise<Blob>;
  /** The address of a drawing, for an `<img>`, a link or an EventSource of a server that wants no key. */
  address(request: AddressRequest, ending: AddressEnding): string;
  /** What an encoder makes of pictures. */
  encode(request: EncodeRequest, options?: CallOptions): Promise<Encoding>;
  /** A scorer's opinion of pictures. */
  score(request: ScoreRequest, options?: CallOptions): Promise<Score>;
  /** How likely a model finds pictures. */
  likelihood(request: LikelihoodRequest, options?: CallOptions): Promise<Likelihood>;
  /** The served models, and the folders that were refused. */
  models(options?: CallOptions): Promise<Models>;
  /** One model with its whole manifest. */
  model(name: string, options?: CallOptions): Promise<ModelDetail>;
  /** The server's figures in Prometheus' text format. */
  metrics(options?: CallOptions): Promise<string>;
}

/** Every failure that is not the caller's own abort. */
export class PentimentoError extends Error {
  name: "PentimentoError";
  /** "INVALID_ARGUMENT", "UNAUTHENTICATED", "NOT_FOUND", "OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED", … */
  readonly code: string;
  /** The field at fault, in the server's spelling. */
  readonly field: string | null;
  /** The HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfterS: number | null;
  /** What the server's log calls the request. */
  readonly requestId: string | null;
  /** Of a stream that failed: the last step that was sent. */
  readonly step: number | null;
}
