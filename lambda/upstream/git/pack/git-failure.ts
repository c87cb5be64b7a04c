import { CodedError } from "../../../golang/coded-error.ts";
import { printable } from "../../../golang/shown-text.ts";

/**
 * "no-repository" nothing is there (404, 410); "unauthorized" credentials are missing or refused (401, 403); "status"
 * any other status; "not-smart" no git server that speaks the smart protocol; "refused" the server said why in its own
 * words; "bad-answer" bytes that are not what git's protocol and formats have; "missing-object" an object that was asked
 * for, or that one of them needs, was not sent; "wrong-type" an object is there and is no commit, no tree or no blob;
 * "too-large" beyond a limit of `GitLimits`; "ambiguous" an abbreviated hash that several commits share; "unsupported"
 * the server lacks what this would need.
 */
export type GitFailureCode =
  | "no-repository"
  | "unauthorized"
  | "status"
  | "not-smart"
  | "refused"
  | "bad-answer"
  | "missing-object"
  | "wrong-type"
  | "too-large"
  | "ambiguous"
  | "unsupported";

/**
 * Why a repository did not give what it was asked for. The message is a clause: "answered 503".
 *
 * What the network does is an `UpstreamFailure` instead, and an aborted signal throws its reason.
 */
export class GitFailure extends CodedError<GitFailureCode> {
  /** The HTTP status; present with "no-repository", "unauthorized" and "status". */
  readonly status: number | undefined;
  /** Seconds of a `Retry-After` header. */
  readonly retryAfter: number | undefined;

  constructor(
    code: GitFailureCode,
    message: string,
    options: { readonly cause?: unknown; readonly status?: number; readonly retryAfter?: number | undefined } = {},
  ) {
    super(code, message, "cause" in options ? { cause: options.cause } : undefined);
    this.status = options.status;
    this.retryAfter = options.retryAfter;
  }
}

/** Characters of a server's own words that are shown. */
const longestWords = 300;

/** The failure of a server that said so itself; its words are cleaned and shortened. */
export function refusedBy(words: string): GitFailure {
  return new GitFailure("refused", `refused: ${printable(words.trim(), longestWords)}`);
}
