import type { ServedError, ServedErrorCode } from "../proxy/store/served-error.ts";
import type { HttpAnswer } from "./result.ts";

/** How an error is said over HTTP. */
interface ErrorAnswer {
  readonly status: number;
  readonly cacheControl: string;
}

const never = "no-store";

/**
 * The answers of PROTOCOL.md, one row for each error code.
 *
 * `go` moves on to the next proxy after 404 and 410 only, so an outage or a refusal must have any other status: else a
 * private name would be looked for at the next, public proxy. 404 may be kept 5 s by caches, nothing else.
 */
export const errorAnswers: Record<ServedErrorCode, ErrorAnswer> = {
  "bad-request": { status: 400, cacheControl: never },
  unauthorized: { status: 401, cacheControl: never },
  forbidden: { status: 403, cacheControl: never },
  "not-found": { status: 404, cacheControl: "max-age=5" },
  "method-not-allowed": { status: 405, cacheControl: never },
  "upstream-refused": { status: 403, cacheControl: never },
  "upstream-unauthorized": { status: 502, cacheControl: never },
  "upstream-failed": { status: 502, cacheControl: never },
  "upstream-timeout": { status: 504, cacheControl: never },
  "checksum-unknown": { status: 403, cacheControl: never },
  "checksum-mismatch": { status: 403, cacheControl: never },
  "checksum-unavailable": { status: 502, cacheControl: never },
  "checksum-forged": { status: 502, cacheControl: never },
  "checksum-fork": { status: 502, cacheControl: never },
  "invalid-module": { status: 502, cacheControl: never },
  "store-failed": { status: 503, cacheControl: never },
  "fill-timeout": { status: 504, cacheControl: never },
  internal: { status: 500, cacheControl: never },
};

/** Longest error text in bytes: `go` prints no more of a body than that. */
const textLimit = 640;

/** What the person at `go` is told. */
export function errorText({ message }: ServedError): string {
  return message.slice(0, textLimit);
}

/** The answer that says an error, by its row of the table. */
export function errorAnswer(error: ServedError): HttpAnswer {
  const row = errorAnswers[error.code];
  return {
    kind: "answer",
    status: row.status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": row.cacheControl,
      "x-content-type-options": "nosniff",
    },
    body: new TextEncoder().encode(`${errorText(error)}\n`),
  };
}
