import { CodedError } from "../../golang/coded-error.ts";
import { type ErrorTraits, errorTraits } from "./error-traits.ts";

/** Every way a request can end without its answer. */
export type ServedErrorCode = keyof typeof errorTraits;

/** True for a code of ours: what comes out of a database may be a later one's. */
export function isServedErrorCode(code: string): code is ServedErrorCode {
  return Object.hasOwn(errorTraits, code);
}

/** An error whose first line is meant for the person at the `go` command; HTTP learns of it in one place only. */
export class ServedError extends CodedError<ServedErrorCode> {
  get traits(): ErrorTraits {
    return errorTraits[this.code];
  }
}

/** Anything thrown as what may be said of it: an error that nobody expected is "internal", and only its cause. */
export function asServedError(thrown: unknown): ServedError {
  if (thrown instanceof ServedError) return thrown;
  return new ServedError("internal", "modfront failed; its log says why", { cause: thrown });
}

/** True when the failure says nothing about the module, so that a copy we hold (even a stale one) is the better answer. */
export function isOutage(error: unknown): boolean {
  return error instanceof ServedError && error.traits.instead === "copy";
}

/** True when modfront itself failed, and not an upstream, a client or what was asked for. */
export function isFault(error: ServedError | undefined): boolean {
  return error?.traits.status === 500 || error?.traits.status === 503;
}
