import { CodedError } from "../../golang/coded-error.ts";

/** A 200 answer on its way in. */
export interface UpstreamBody {
  /**
   * The body as it arrives, to be read once. Breaking off the iteration closes the connection; so does calling `return`
   * of its iterator before anything was read.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The declared length in bytes, where one was declared; `chunks` fail when they disagree with it. */
  readonly length: number | undefined;
}

/**
 * One place of a chain: a module proxy, or the checksum database's own server, reached over HTTP; or `direct`, which answers
 * out of the modules' repositories as a proxy would.
 *
 * An attempt that does not end in a complete 200 throws an `UpstreamFailure`: `get` itself for everything up to the
 * headers, `chunks` for everything after. When `signal` is aborted both throw its reason instead.
 */
export interface Upstream {
  /** How people know it: scheme and host, never credentials; `"direct"`. */
  readonly name: string;

  /**
   * GETs `path` below the upstream's base URL; one attempt, redirects followed.
   *
   * `path` begins with "/" and is escaped as module paths are (`!azure`); the percent-encoding that a URL needs is added
   * here, as the go command does it. An upstream that keeps what it was told makes no use of what is older than `maxAge`
   * milliseconds.
   */
  get(
    path: string,
    options: { readonly limit: number; readonly signal?: AbortSignal; readonly maxAge?: number | undefined },
  ): Promise<UpstreamBody>;
}

/**
 * "status" any status but 200; "too-large" more than `limit` bytes, declared or not; "unreachable" refused, reset or cut
 * off; "connect-timeout" no connection in time, "timeout" no byte for too long; "bad-answer" not readable as HTTP, or encoded although we asked
 * for plain bytes; "redirects" too many or to somewhere that makes no sense; "refused-address" a host learnt from input
 * that may not be spoken to; "breaker-open" not tried because it failed too often a moment ago; "no-credentials" not asked,
 * because the credentials that it would have to be shown cannot be had.
 */
export type UpstreamFailureCode =
  | "status"
  | "too-large"
  | "unreachable"
  | "connect-timeout"
  | "timeout"
  | "bad-answer"
  | "redirects"
  | "refused-address"
  | "breaker-open"
  | "no-credentials";

/** What an upstream said beside its status. */
export interface StatusDetails {
  readonly status: number;
  /** The beginning of a `text/plain` body, unchecked. */
  readonly text?: string | undefined;
  /** Seconds of a `Retry-After` header. */
  readonly retryAfter?: number | undefined;
}

/** Why one attempt at one upstream did not end in a complete 200. The message is a clause: "answered 503". */
export class UpstreamFailure extends CodedError<UpstreamFailureCode> {
  /** Present exactly with code "status". */
  readonly details: StatusDetails | undefined;

  constructor(
    code: UpstreamFailureCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: StatusDetails } = {},
  ) {
    super(code, message, "cause" in options ? { cause: options.cause } : undefined);
    this.details = options.details;
  }
}

/** One place of a chain. `onAnyError` is Go's `|` behind it: go on after any error, not only after 404 and 410. */
export interface ChainStep {
  readonly upstream: Upstream;
  readonly onAnyError: boolean;
}

/** What stands behind the last step: nothing, `off`, no rule for this module, or no rule that names this private module. */
export type ChainEnd = "nothing" | "off" | "no-rule" | "private-unnamed" | "private-case";

/** The upstreams to ask for one module, in order. Without steps nothing is asked. */
export interface Chain {
  readonly steps: readonly ChainStep[];
  readonly end: ChainEnd;
}

/** Which upstreams a module comes from. */
export interface UpstreamRouter {
  /** True for modules that are never asked for at an upstream whose rule does not name them, nor at sum.golang.org. */
  isPrivate(modulePath: string): boolean;

  /** The chain of the first rule for this module; without steps when there is none. Paths are unescaped. */
  chainFor(modulePath: string): Chain;

  /** Those of channels that have upstreams of their own, by name: only what their rules match comes from elsewhere. */
  readonly channels?: ReadonlyMap<string, UpstreamRouter> | undefined;
}
