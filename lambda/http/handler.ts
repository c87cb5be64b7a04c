import type { X509Certificate } from "node:crypto";
import type { RoutedPath } from "../edge/routed-path.ts";
import type { Identity } from "../edge/token.ts";
import type { Served } from "../proxy/serve/serve.ts";
import { policyOf } from "../proxy/store/layout.ts";
import type { Parameters } from "./address.ts";
import { entityTag } from "./entity-tag.ts";
import type { HttpAnswer, HttpResult } from "./result.ts";

/** A request that `decide` let through. */
export interface HttpRequest {
  readonly method: string;
  /** The path as the edge, or behind CloudFront the function itself, took it apart. */
  readonly routed: RoutedPath;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** In which channel it was asked, and by which path; what differs by channel is answered by `view` alone. */
  readonly channel?: string | undefined;
  readonly view?: string | undefined;
  readonly address?: string | undefined;
  /** How often the client was sent back here because a fill takes long. */
  readonly wait?: number;
  /** The query string as received, without the question mark: only the rows of the site read it. */
  readonly query?: string;
  /** The body, at most so many bytes of it: undefined where it has more. Read only for a row that takes one. */
  readonly body?: (limit: number) => Promise<Uint8Array | undefined>;
  /** The body as it comes, however long it is, for a row that takes no JSON. */
  readonly chunks?: () => AsyncIterable<Uint8Array>;
  /** The request's id, and from where it came. */
  readonly origin?: { readonly request: string; readonly address: string };
  /** The certificate that the client has the key of, where an authority of ours signed it. */
  readonly certificate?: () => X509Certificate | undefined;
}

/** A request and who asks, after the second look at whether they may. */
export interface AdmittedRequest extends HttpRequest {
  readonly identity: Identity;
  /** What the path says to the row of the site that it is of. */
  readonly parameters?: Parameters;
  /** The body, as the row's `input` has it. */
  readonly input?: unknown;
}

/** Answers a request; what it throws is a failure too. */
export type HttpHandler = (request: AdmittedRequest) => Promise<HttpResult>;

/** The handler of a use-case of the serve plane: its answer gets headers and an entity tag. */
export function createHandler(
  serve: (routed: RoutedPath, request: AdmittedRequest) => Promise<Served>,
  isPrivate: (module: string) => boolean,
): HttpHandler {
  return async (request) => present(await serve(request.routed, request), isPrivate);
}

function present(served: Served, isPrivate: (module: string) => boolean): HttpAnswer {
  const isOfPrivate = served.module !== undefined && isPrivate(served.module);
  const { contentType, cacheControl } = policyOf(served.policy, isOfPrivate);
  const headers = {
    "content-type": contentType,
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
  };
  if ("stored" in served.content) return { kind: "answer", status: 200, headers, body: served.content };
  const { body, stale } = served.content;
  const freshUntil = cacheControl.endsWith("immutable") ? Number.POSITIVE_INFINITY : served.content.freshUntil;
  const stamped = { ...headers, etag: entityTag(body), ...(stale ? { warning: '110 - "Response is Stale"' } : {}) };
  return { kind: "answer", status: 200, headers: stamped, body, ...(freshUntil === undefined ? {} : { freshUntil }) };
}
