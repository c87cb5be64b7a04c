import { decodePath, type Misplaced, type Place, placePath } from "./place.ts";
import { behaviourFor, routes } from "./routes.ts";

export interface EdgeRequest {
  readonly method: string;
  /** Path and query as received, before anyone decodes or normalises: `/github.com/%21azure/x/@v/list?wait=2`. */
  readonly target: string;
  /** Lower-cased names. A header that came more than once is an array, or joined: both are refused as credentials. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
}

/** The complete answer, made without asking anything behind the edge. For HEAD the caller leaves out the body. */
export interface EdgeAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** The request may go on, to the cache and to what is behind it. */
export interface EdgeForward extends Place {
  readonly kind: "forward";
  /** `?wait=n`, 1 to 8: how often this request was already sent back while its file was being fetched. */
  readonly wait: number | undefined;
  /**
   * True when the path was spelt so that CloudFront chose the behaviour of another route (`%40v`): there the answer is
   * 308 to `encodePath(path)`; who routes by `route` simply uses `path`.
   */
  readonly misrouted: boolean;
}

export type Decision = EdgeAnswer | EdgeForward;

/** What a request can be refused for at the edge. */
export type EdgeRefusal = "bad-request" | "not-found" | "method-not-allowed";

// CloudFront caches a 404 by its header, and 400, 403, 405 and 5xx for the error TTL, which lib/ sets to 0.
const refusals: Readonly<Record<EdgeRefusal, { readonly status: number; readonly cacheControl: string }>> = {
  "bad-request": { status: 400, cacheControl: "no-store" },
  "not-found": { status: 404, cacheControl: "no-store" },
  "method-not-allowed": { status: 405, cacheControl: "no-store" },
};

/**
 * Decides what becomes of a request before any cache: an answer, or the canonical path and route to go on with.
 *
 * Pure, synchronous and without any API of a runtime, so that the same code runs in CloudFront and in the local server.
 */
export function decide(request: EdgeRequest): Decision {
  const target = request.target;
  const mark = target.indexOf("?");
  const received = mark < 0 ? target : target.slice(0, mark);
  const place = locate(received);
  if ("code" in place) return refuse(place.code, place.reason);
  const methods = routes[place.route].methods;
  if (methods.indexOf(request.method) < 0) {
    return refuse("method-not-allowed", "this address is only read", methods.join(", "));
  }
  return forward(place, received, mark < 0 ? undefined : readWait(target.slice(mark + 1)));
}

function locate(received: string): Place | Misplaced {
  const path = received.charAt(0) === "/" ? decodePath(received) : undefined;
  if (path !== undefined) return placePath(path);
  return { code: "bad-request", reason: "the path is malformed or has an encoded character that no module path has" };
}

function forward(place: Place, received: string, wait: number | undefined): EdgeForward {
  const { route, path, module, version } = place;
  const misrouted = received !== path && behaviourFor(received) !== routes[route].pattern;
  return { kind: "forward", route, path, module, version, wait, misrouted };
}

/** The query is ignored but for this one number. */
function readWait(query: string): number | undefined {
  const match = /(?:^|&)wait=([1-8])(?:&|$)/.exec(query);
  return match === null ? undefined : Number(match[1]);
}

function refuse(code: EdgeRefusal, line: string, allow?: string): EdgeAnswer {
  const row = refusals[code];
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": row.cacheControl,
    "x-content-type-options": "nosniff",
  };
  if (allow !== undefined) headers.allow = allow;
  return { kind: "answer", status: row.status, headers, body: `${line}\n` };
}
