import { readTokens } from "./access-settings.ts";
import { cannotCheck, decide, type EdgeAnswer, type EdgeForward, refuse } from "./decide.ts";
import { identityHeader, signIdentity } from "./identity.ts";
import { encodePath } from "./routed-path.ts";
import type { Hmac } from "./token.ts";

// The viewer-request function of CloudFront. lib/edge-bundle.ts adds the lines that need CloudFront's own modules.
// The runtime (cloudfront-js-2.0) is ES5.1 with const, let, arrows and template literals: this folder keeps to methods and
// syntax of that, and the bundler refuses what it cannot lower.

interface Value {
  value: string;
  readonly multiValue?: readonly { readonly value: string }[];
}

/** The part of CloudFront's event that matters: `uri` is percent-encoded as received, header names are lower-cased. */
export interface ViewerRequest {
  readonly method: string;
  uri: string;
  querystring: { [name: string]: Value };
  readonly headers: { [name: string]: Value };
}

export interface ViewerResponse {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: Value };
  readonly body?: string;
}

/** What the function has read before; a value that could not be read is undefined. */
export interface ViewerContext {
  readonly access: string | undefined;
  readonly tokens: string | undefined;
  readonly hmac: Hmac;
  readonly now: number;
}

/** In this header the edge repeats `?wait=n` outside the cache key. */
export const waitHeader = "x-modfront-wait";

/** Returns the answer, or the request as it may go on to the cache and the origins: canonical, and saying who asks. */
export function onViewerRequest(request: ViewerRequest, context: ViewerContext): ViewerRequest | ViewerResponse {
  const decision = decide(
    {
      method: request.method,
      target: readTarget(request),
      headers: { authorization: readHeader(request.headers.authorization) },
    },
    {
      keyValues: { get: (name) => context[name] },
      hmac: context.hmac,
      now: () => context.now,
    },
  );
  if (decision.kind === "answer") return respond(decision, request.method);
  if (decision.misrouted) return redirect(decision.routed.path);
  const settings = readTokens(context.tokens);
  // Without an identity nothing behind the edge would answer, and it must not.
  if (settings === undefined) return respond(refuse("cannot-decide", cannotCheck), request.method);
  const identity = signIdentity(decision.identity, settings.identityKey, context.now, context.hmac);
  return rewrite(request, decision, identity);
}

function readTarget(request: ViewerRequest): string {
  const wait = readHeader(request.querystring.wait);
  return typeof wait === "string" ? `${request.uri}?wait=${wait}` : request.uri;
}

function readHeader(header: Value | undefined): string | string[] | undefined {
  if (header === undefined) return undefined;
  const values = header.multiValue;
  return values !== undefined && values.length > 1 ? values.map((each) => each.value) : header.value;
}

function respond(answer: EdgeAnswer, method: string): ViewerResponse {
  const headers: { [name: string]: Value } = {};
  for (const name in answer.headers) headers[name] = { value: answer.headers[name] as string };
  if (method === "HEAD") return { statusCode: answer.status, headers };
  return { statusCode: answer.status, headers, body: answer.body };
}

/** A path, not a URL: go drops the credentials of its own URL on an absolute one. */
function redirect(path: string): ViewerResponse {
  return {
    statusCode: 308,
    headers: { location: { value: encodePath(path) }, "cache-control": { value: "no-store" } },
  };
}

function rewrite(request: ViewerRequest, forward: EdgeForward, identity: string): ViewerRequest {
  // The API's routes end in {path+}, which needs an element.
  request.uri = encodePath(forward.routed.path === "/" ? "/-/page" : forward.routed.path);
  request.querystring = {};
  for (const name in request.headers) {
    // Nobody else may say who asks, and the token has done its work.
    if (name === "authorization" || name.indexOf("x-modfront-") === 0) delete request.headers[name];
  }
  request.headers[identityHeader] = { value: identity };
  if (forward.wait !== undefined) request.headers[waitHeader] = { value: `${forward.wait}` };
  return request;
}
