/** A 200 answer on its way in. */
export interface UpstreamBody {
  /** The body as it arrives. Breaking off the iteration closes the connection. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The declared length in bytes, where one was declared; `chunks` fail when they disagree with it. */
  readonly length: number | undefined;
}

/**
 * One module proxy (or the checksum database's own server) of a chain, reached over HTTP.
 *
 * An attempt that does not end in a complete 200 throws a `CodedError` with one of `UpstreamFailureCode`: `get` itself
 * for everything up to the headers, `chunks` for everything after.
 */
export interface Upstream {
  /** How people know it: scheme and host, never credentials. */
  readonly name: string;

  /** GETs `path` (escaped, beginning with "/") below the upstream's base URL; one attempt, redirects followed. */
  get(path: string, options: { readonly limit: number; readonly signal?: AbortSignal }): Promise<UpstreamBody>;
}

/**
 * "status" carries the original status and the first lines of a text body; "too-large" more than `limit` bytes, declared
 * or not; "unreachable" refused, reset or cut off; "timeout" no byte for too long; "refused-address" a host learnt from
 * input that may not be spoken to; "breaker-open" not tried because it failed too often a moment ago.
 */
export type UpstreamFailureCode =
  | "status"
  | "too-large"
  | "unreachable"
  | "timeout"
  | "redirects"
  | "refused-address"
  | "breaker-open";
