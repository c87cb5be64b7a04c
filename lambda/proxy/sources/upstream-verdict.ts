import { isCodedError } from "../../golang/coded-error.ts";
import { ServedError, type ServedErrorCode } from "../store/served-error.ts";
import { refusalText } from "./refusal-text.ts";
import { type ChainEnd, UpstreamFailure, type UpstreamFailureCode } from "./upstream.ts";

/** What one failed step of a chain means. */
export interface Verdict {
  /** Asking the same upstream again a moment later may help. */
  readonly retry: boolean;
  /** Go's meaning of `,`: only an upstream that says "I do not have it" sends us to the next one. */
  readonly absent: boolean;
  readonly error: ServedError;
}

interface Row {
  readonly code: ServedErrorCode;
  readonly retry: boolean;
  /** What the upstream says is passed on: it refuses or explains, where others only fail. */
  readonly quoted?: true;
}

const absence: Row = { code: "not-found", retry: false, quoted: true };

// docs/protocol.md "Answers", by the original status.
const statusRows: ReadonlyMap<number, Row> = new Map([
  [401, { code: "upstream-unauthorized", retry: false }],
  [403, { code: "upstream-refused", retry: false, quoted: true }],
  [404, absence],
  [407, { code: "upstream-unauthorized", retry: false }],
  [408, { code: "upstream-failed", retry: true }],
  [410, absence],
  [425, { code: "upstream-failed", retry: true }],
  [429, { code: "upstream-failed", retry: true }],
]);
const otherRows: Readonly<Record<"4xx" | "5xx" | "else", Row>> = {
  // What is not known to be absent is never a 404, which would send go to the next proxy.
  "4xx": { code: "upstream-failed", retry: false, quoted: true },
  "5xx": { code: "upstream-failed", retry: true },
  // No status of a module proxy: 204, 206, 304, a redirect without a target.
  else: { code: "upstream-failed", retry: false },
};

// A timeout has cost its whole time already and TCP has repeated what was lost, so it is not tried again.
const failureRows: Readonly<Record<Exclude<UpstreamFailureCode, "status">, Row>> = {
  unreachable: { code: "upstream-failed", retry: true },
  // A slow handshake has cost nothing yet but time: the next one may be quick.
  "connect-timeout": { code: "upstream-timeout", retry: true },
  timeout: { code: "upstream-timeout", retry: false },
  "too-large": { code: "upstream-failed", retry: false },
  "bad-answer": { code: "upstream-failed", retry: false },
  redirects: { code: "upstream-failed", retry: false },
  "refused-address": { code: "upstream-failed", retry: false },
  "breaker-open": { code: "upstream-failed", retry: false },
  "no-credentials": { code: "upstream-unauthorized", retry: false },
};

function statusRow(status: number): Row {
  const family = status >= 500 && status <= 599 ? "5xx" : status >= 400 && status <= 499 ? "4xx" : "else";
  return statusRows.get(status) ?? otherRows[family];
}

const lines: Partial<Record<ServedErrorCode, (name: string, clause: string) => string>> = {
  "not-found": (name, clause) => `not found: upstream ${name} ${clause}`,
  "upstream-refused": (name, clause) => `upstream ${name} refuses it: ${clause}`,
  "upstream-unauthorized": (name, clause) =>
    `upstream ${name} wants credentials that modfront does not have: ${clause}`,
};

/** What the failure of an attempt means, said of the upstream called `name`. */
function judgeFailure(name: string, failure: UpstreamFailure): Verdict {
  const status = failure.details?.status ?? 0;
  const row = failure.code === "status" ? statusRow(status) : failureRows[failure.code];
  // The lines say what a status means; any other clause says it itself.
  const said = failure.code === "status" ? lines[row.code]?.(name, failure.message) : undefined;
  const line = said ?? `upstream ${name} ${failure.message}`;
  const text = row.quoted ? refusalText(failure.details?.text ?? "") : undefined;
  return {
    retry: row.retry,
    absent: row === absence,
    error: new ServedError(row.code, quote(line, text), { cause: failure }),
  };
}

/** One line as long as the upstream said no more than one; several go below ours, which stays the first. */
function quote(line: string, text: string | undefined): string {
  if (text === undefined) return line;
  return text.includes("\n") ? `${line}\n${text}` : `${line}: ${text}`;
}

/**
 * What an error thrown while a body was read and validated means; `undefined` when it says nothing of the upstream (the
 * store is full, the checksum database is away): that ends the fill at once.
 *
 * A bad body counts as this upstream's error, so that `|` goes on after it and `,` does not.
 */
export function judgeError(name: string, error: unknown): Verdict | undefined {
  if (error instanceof UpstreamFailure) return judgeFailure(name, error);
  if (error instanceof ServedError) {
    if (!error.traits.content) return undefined;
    const named = new ServedError(error.code, `upstream ${name}: ${error.message}`, { cause: error });
    return { retry: false, absent: false, error: named };
  }
  if (!isCodedError(error)) return undefined;
  const message = `upstream ${name} sent something that is not valid: ${error.message}`;
  return { retry: false, absent: false, error: new ServedError("upstream-failed", message, { cause: error }) };
}

const endLines = {
  nothing: undefined,
  off: "its upstream chain ends with off",
  "no-rule": "no upstream is configured for it",
  "private-unnamed": "it is private, and no rule in upstreams names it",
  "private-case": "its host does not tell case apart, and in other letters it is private: write it as private names it",
} as const satisfies Record<ChainEnd, string | undefined>;

/** The one error a chain ends with, out of those of its steps in their order. */
export function concludeChain(errors: readonly ServedError[], end: ChainEnd): ServedError {
  const worst = errors.reduce<ServedError | undefined>(
    (so, error) => (so !== undefined && so.traits.rank > error.traits.rank ? so : error),
    undefined,
  );
  // Our own refusal: a 404 would make `go` ask the next proxy of its list for the private name.
  if (end === "private-unnamed" || end === "private-case") return new ServedError("forbidden", endLines[end]);
  const ending = endLines[end];
  if (worst === undefined) return new ServedError("not-found", `not found: ${ending ?? "there is no upstream to ask"}`);
  const refusal = errors.findLast((error) => error.code === "upstream-refused");
  const more = [
    refusal !== worst && worst.code !== "not-found" ? refusal?.message : undefined,
    worst.code === "not-found" ? ending : undefined,
  ].filter((line) => line !== undefined);
  if (more.length === 0) return worst;
  return new ServedError(worst.code, [worst.message, ...more].join("\n"), { cause: worst });
}
