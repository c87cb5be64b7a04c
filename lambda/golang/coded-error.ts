/**
 * An error whose `code` is a literal that callers and tables switch on; the message is for people.
 *
 * The message names what was wrong in our own words and never carries a path of this machine, a credential or a
 * library's text; what lower layers said belongs in `cause`.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "CodedError";
    this.code = code;
  }
}

/** True when `error` is a `CodedError` and its code is one of `codes` (any code when none is given). */
export function isCodedError<Code extends string>(error: unknown, ...codes: Code[]): error is CodedError<Code> {
  return error instanceof CodedError && (codes.length === 0 || codes.includes(error.code as Code));
}
