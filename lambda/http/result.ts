import type { FileLinks } from "../proxy/store/fill-plane.ts";
import { asServedError, type ServedError } from "../proxy/store/served-error.ts";

/**
 * What a handler makes of a request, as a value: `frame` makes HTTP of it where a plane sends it, and whoever logs,
 * counts or sends the client elsewhere reads it before.
 */
export type HttpResult = HttpAnswer | HttpFailure | HttpRedirect;

/** An answer over HTTP; `body` is bytes, or the stored file that is the body. */
export interface HttpAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | StoredBody;
  /** Until when the same answer may be given again, in milliseconds since the epoch, `Infinity` for ever; absent: ask again. */
  readonly freshUntil?: number;
  /** The row of the site that answered, to be counted by: `"live"`. */
  readonly route?: string;
}

export interface StoredBody {
  /** The key of the file. */
  readonly stored: string;
  readonly size: number;
  /** Where anybody can read it for a while, if whoever stored it says so. */
  readonly links?: FileLinks;
}

/** The request ends without what it asked for. */
export interface HttpFailure {
  readonly kind: "error";
  readonly error: ServedError;
}

/** The client is sent elsewhere. */
export interface HttpRedirect {
  readonly kind: "redirect";
  /** Its own address again, for the time `wait`, by the canonical path; or a stored file. */
  readonly to: { readonly path: string; readonly wait: number } | { readonly url: string };
  /** Why there is no answer yet, where something failed. */
  readonly error?: ServedError;
}

/** The failure that is anything thrown: what nobody expected says only that it happened, and is the error's cause. */
export function failure(thrown: unknown): HttpFailure {
  return { kind: "error", error: asServedError(thrown) };
}

/** Why the client has no answer, or not yet; `undefined` where it has one. */
export function errorOf(result: HttpResult): ServedError | undefined {
  return result.kind === "answer" ? undefined : result.error;
}
