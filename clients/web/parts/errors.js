/** What went wrong, in words, and what to do about it. */

/**
 * @param {Error & { code?: string, retryAfterS?: number | null, requestId?: string | null }} error
 * @returns {{ title: string, detail: string, cure: "key" | "wait" | "again" | "none" }}
 *   `cure` is what the page can offer: typing a key, nothing but waiting, or trying again.
 */
export function explain(error) {
  const said = sentence(error.message);
  switch (error.code) {
    case "UNAUTHENTICATED":
      return { title: "This server wants an API key", detail: "Type the key that you were given.", cure: "key" };
    case "PERMISSION_DENIED":
      return { title: "That is not allowed here", detail: said, cure: "none" };
    case "OVERLOADED": {
      const wait = error.retryAfterS ? ` Try again in ${Math.ceil(error.retryAfterS)} s.` : " Try again in a moment.";
      return { title: "The server is busy", detail: said + wait, cure: "again" };
    }
    case "UNAVAILABLE":
      return {
        title: "The server does not answer",
        detail: "It may be restarting. This page looks for it and says when it is back.",
        cure: "wait",
      };
    case "DEADLINE_EXCEEDED":
      return { title: "It took too long", detail: `${said} Ask for fewer drawings or steps.`, cure: "again" };
    case "NOT_FOUND":
      return { title: "That model is not served here", detail: "Pick another from the list.", cure: "none" };
    case "INVALID_ARGUMENT":
    case "UNSUPPORTED":
    case "UNSUPPORTED_MEDIA_TYPE":
    case "PAYLOAD_TOO_LARGE":
      return { title: "The server cannot do that", detail: said, cure: "none" };
    default: {
      const id = error.requestId ? ` The server's log has the reason under ${error.requestId}.` : "";
      return { title: "Something went wrong", detail: said + id, cure: "again" };
    }
  }
}

function sentence(text) {
  if (!text) return "";
  const begun = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
