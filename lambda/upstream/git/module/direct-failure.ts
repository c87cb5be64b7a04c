import { isCodedError } from "../../../golang/coded-error.ts";
import { UpstreamFailure } from "../../../proxy/sources/upstream.ts";
import { GitFailure, type GitFailureCode } from "../pack/git-failure.ts";

/** What a chain is to make of each failure of a repository: absent only where it is certain that nothing is there. */
const rows: Readonly<Record<GitFailureCode, "status" | "bad-answer" | "too-large">> = {
  "no-repository": "status",
  unauthorized: "status",
  status: "status",
  "not-smart": "bad-answer",
  refused: "bad-answer",
  "bad-answer": "bad-answer",
  "missing-object": "bad-answer",
  "wrong-type": "bad-answer",
  "too-large": "too-large",
  ambiguous: "bad-answer",
  unsupported: "bad-answer",
};

/**
 * What ended a request, as a chain judges it: an `Absence` answers 404 with go's words, everything else names the host.
 *
 * `where` is the repository's URL, or the page's, as far as it is known by then.
 */
export function directFailure(error: unknown, where: string | undefined): unknown {
  if (isCodedError(error, "absent")) return absent(error.message, error);
  const place = where === undefined ? "" : ` at ${hostOf(where)}`;
  if (error instanceof GitFailure) return gitFailure(error, place);
  if (!(error instanceof UpstreamFailure) || error.code === "status") return error;
  return new UpstreamFailure(error.code, `cannot read its repository${place}: it ${error.message}`, { cause: error });
}

/** The answer to a request for what is not there. */
export function absent(text: string, cause?: unknown): UpstreamFailure {
  return new UpstreamFailure("status", "has no such version", { cause, details: { status: 404, text } });
}

function gitFailure(error: GitFailure, place: string): UpstreamFailure {
  const code = rows[error.code];
  const message = `cannot read its repository${place}: it ${error.message}`;
  if (code !== "status") return new UpstreamFailure(code, message, { cause: error });
  const status = error.code === "no-repository" ? 404 : (error.status ?? 502);
  const details = { status, text: undefined, retryAfter: error.retryAfter };
  return new UpstreamFailure("status", message, { cause: error, details });
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an unknown host";
}
