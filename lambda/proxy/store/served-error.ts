import { CodedError } from "../../golang/coded-error.ts";

/**
 * Every way a request can end without its answer. lambda/http/answers.ts has a row (status, cache-control) for each:
 * a code without a row does not compile.
 */
const servedErrorCodes = [
  "bad-request",
  "method-not-allowed",
  "unauthorized",
  "forbidden",
  "not-found",
  "upstream-refused",
  "upstream-unauthorized",
  "upstream-failed",
  "upstream-timeout",
  "checksum-unknown",
  "checksum-mismatch",
  "checksum-unavailable",
  "checksum-forged",
  "checksum-fork",
  "invalid-module",
  "store-failed",
  "fill-timeout",
  "internal",
] as const;

export type ServedErrorCode = (typeof servedErrorCodes)[number];

/** True for a code of ours: what comes out of a database may be a later one's. */
export function isServedErrorCode(code: string): code is ServedErrorCode {
  return (servedErrorCodes as readonly string[]).includes(code);
}

/** An error whose first line is meant for the person at the `go` command; HTTP learns of it in one place only. */
export class ServedError extends CodedError<ServedErrorCode> {}

/** Anything thrown as what may be said of it: an error that nobody expected is "internal", and only its cause. */
export function asServedError(thrown: unknown): ServedError {
  if (thrown instanceof ServedError) return thrown;
  return new ServedError("internal", "modfront failed; its log says why", { cause: thrown });
}

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
