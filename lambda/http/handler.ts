import middy from "@middy/core";
import type { RoutedPath } from "../edge/routed-path.ts";
import type { Identity } from "../edge/token.ts";
import type { Served } from "../proxy/serve/serve.ts";
import { policyOf } from "../proxy/store/layout.ts";
import { errorAnswer, type HttpAnswer } from "./answers.ts";
import { entityTag, matchesTag } from "./entity-tag.ts";

/** A request that `decide` let through. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD";
  /** The path as the edge, or behind CloudFront the function itself, took it apart. */
  readonly routed: RoutedPath;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** How often the client was sent back here because a fill takes long. */
  readonly wait?: number;
  /** The query string as received, without the question mark: only the page reads it. */
  readonly query?: string;
  /** Who asks, as the edge found; absent: nobody in particular. */
  readonly identity?: Identity;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

/** What is worth a log line or a count beside the request itself. */
export type Observe = (request: HttpRequest, answer: HttpAnswer, error: unknown) => void;

export interface HandlerParts {
  readonly serve: (routed: RoutedPath) => Promise<Served>;
  readonly isPrivate: (module: string) => boolean;
  readonly observe: Observe;
}

/**
 * The one middy stack, around each use-case of the serve plane: errors become rows of the table, bodies get their
 * headers and entity tag, conditional requests their 304.
 */
export function createHandler(parts: HandlerParts): HttpHandler {
  const stack = middy<HttpRequest, HttpAnswer>()
    .use({
      // Without a value: middy would take one for the answer.
      after: ({ event, response }) => {
        parts.observe(event, response, undefined);
      },
      onError: (failed) => {
        failed.response = errorAnswer(failed.error);
        parts.observe(failed.event, failed.response, failed.error);
      },
    })
    .use({
      after: (answered) => {
        answered.response = conditional(answered.event, answered.response);
      },
    })
    .handler(async (request: HttpRequest) => present(await parts.serve(request.routed), parts.isPrivate));
  return (request) => stack(request, undefined as never);
}

function present(served: Served, isPrivate: (module: string) => boolean): HttpAnswer {
  const own = served.module !== undefined && isPrivate(served.module);
  const { contentType, cacheControl } = policyOf(served.policy, own);
  const headers = {
    "content-type": contentType,
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
  };
  if ("stored" in served.content) return { status: 200, headers, body: served.content };
  const { body, stale } = served.content;
  const freshUntil = cacheControl.endsWith("immutable") ? Number.POSITIVE_INFINITY : served.content.freshUntil;
  const stamped = { ...headers, etag: entityTag(body), ...(stale ? { warning: '110 - "Response is Stale"' } : {}) };
  return { status: 200, headers: stamped, body, ...(freshUntil === undefined ? {} : { freshUntil }) };
}

function conditional(request: HttpRequest, answer: HttpAnswer): HttpAnswer {
  const condition = request.headers["if-none-match"];
  const tag = answer.headers.etag;
  if (condition === undefined || tag === undefined || !matchesTag(condition, tag)) return answer;
  return { ...answer, status: 304, body: new Uint8Array() };
}
