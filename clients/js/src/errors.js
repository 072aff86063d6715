/** What can go wrong, in one type. */

/** Every failure that is not the caller's own abort. */
export class PentimentoError extends Error {
  name = "PentimentoError";

  /**
   * @param {string} code For programs, as the server has it: "INVALID_ARGUMENT", "OVERLOADED", "UNAVAILABLE", …
   * @param {string} message One sentence for people.
   */
  constructor(code, message, { field, status, retryAfterS, requestId, step, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.field = field ?? null;
    this.status = status ?? null;
    this.retryAfterS = retryAfterS ?? null;
    this.requestId = requestId ?? null;
    this.step = step ?? null;
  }
}

// For answers without a problem: of a proxy in between, or of another program.
const CODES = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  408: "DEADLINE_EXCEEDED",
  413: "PAYLOAD_TOO_LARGE",
  429: "OVERLOADED",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/**
 * The error of a problem (RFC 9457) or of the last line of a stream.
 *
 * @param {object} problem
 * @param {Headers} headers Of the answer that it came in.
 */
export function errorOf(problem, headers) {
  return new PentimentoError(problem.code, problem.detail, {
    field: problem.field,
    status: problem.status,
    retryAfterS: secondsOf(headers.get("Retry-After")),
    requestId: problem.request_id ?? headers.get("X-Request-Id"),
    step: problem.step,
  });
}

/** The error of an answer whose status says that there is one. */
export function errorOfAnswer(response, text) {
  let problem = null;
  try {
    problem = JSON.parse(text);
  } catch {
    // Not from this server.
  }
  if (typeof problem?.detail !== "string" || typeof problem.code !== "string") {
    problem = {
      code: CODES[response.status] ?? "INTERNAL",
      detail: `HTTP status ${response.status} from ${response.url}`,
    };
  }
  return errorOf({ ...problem, status: response.status }, response.headers);
}

/** What `read` makes of an answer; where it cannot, that was not this server's. */
export function understood(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof PentimentoError) throw error;
    throw new PentimentoError("INTERNAL", `the answer is not Pentimento's: ${error.message}`, { cause: error });
  }
}

/** Retry-After is a number of seconds, or a date. */
function secondsOf(text) {
  if (!text) return null;
  if (/^\s*\d+\s*$/.test(text)) return Number(text);
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
