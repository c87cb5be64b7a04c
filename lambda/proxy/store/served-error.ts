import { CodedError } from "../../golang/coded-error.ts";

/**
 * Every way a request can end without its answer. lambda/http/answers.ts has a row (status, cache-control) for each:
 * a code without a row does not compile.
 */
export type ServedErrorCode =
  | "bad-request"
  | "method-not-allowed"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "upstream-refused"
  | "upstream-unauthorized"
  | "upstream-failed"
  | "upstream-timeout"
  | "checksum-unknown"
  | "checksum-mismatch"
  | "checksum-unavailable"
  | "checksum-forged"
  | "checksum-fork"
  | "invalid-module"
  | "store-failed"
  | "fill-timeout"
  | "internal";

/** An error whose first line is meant for the person at the `go` command; HTTP learns of it in one place only. */
export class ServedError extends CodedError<ServedErrorCode> {}

/** True when the failure says nothing about the module, so that a copy we hold (even a stale one) is the better answer. */
export function isOutage(error: unknown): boolean {
  return error instanceof ServedError && outages.has(error.code);
}

const outages: ReadonlySet<ServedErrorCode> = new Set([
  "upstream-unauthorized",
  "upstream-failed",
  "upstream-timeout",
  "checksum-unavailable",
  "fill-timeout",
]);
