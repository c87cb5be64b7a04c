import type { ServedError } from "../proxy/store/served-error.ts";
import type { HttpAnswer } from "./result.ts";

/** Longest error text in bytes: `go` prints no more of a body than that. */
const textLimit = 640;

/** What the person at `go` is told. */
export function errorText({ message }: ServedError): string {
  return message.slice(0, textLimit);
}

/** The answer that says an error, by its traits. */
export function errorAnswer(error: ServedError): HttpAnswer {
  const { status, cacheControl } = error.traits;
  return {
    kind: "answer",
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": cacheControl,
      "x-content-type-options": "nosniff",
    },
    body: new TextEncoder().encode(`${errorText(error)}\n`),
  };
}
