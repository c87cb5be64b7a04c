import { CodedError } from "../../../golang/coded-error.ts";

/**
 * "absent": a repository has no such module or version, by go's rules. The message says why in go's words, for the person
 * at the go command.
 */
export class Absence extends CodedError<"absent"> {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super("absent", message, options);
  }
}

/** The absence of a version, and why: `"v1.0.0: unknown revision v1.0.0"`. */
export function invalidVersion(version: string, why: string): Absence {
  return new Absence(`invalid version ${version}: ${why}`);
}

/** The absence of what nothing in the repository has as its name or hash. */
export function unknownRevision(revision: string): Absence {
  return new Absence(`unknown revision ${revision}`);
}
