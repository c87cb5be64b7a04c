import { type KeyValues, readAccess, readText, readTokens } from "./access-settings.ts";
import type { Decision, EdgeContext, EdgeForward, EdgeRequest } from "./decide.ts";
import type { Fetched } from "./fetch-note.ts";
import type { Hmac } from "./hmac.ts";
import { identityHeader, signIdentity } from "./identity.ts";
import { type EdgeAnswer, refuse, refuseUndecided } from "./refusals.ts";
import { encodePath, pagePath, type RoutedPath } from "./routed-path.ts";

// The viewer-request functions of CloudFront: one before the module protocol, one before `/-/`. lib/edge-bundle.ts puts
// them together and adds the lines that need CloudFront's own modules.
// The runtime (cloudfront-js-2.0) is ES5.1 with const, let, arrows and template literals: this folder keeps to methods and
// syntax of that, and the bundler refuses what it cannot lower. It is written short where short is as clear: 10 KB end soon.

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

export interface ViewerContext {
  /** What the function has read, by key; a value that could not be read is there and undefined. */
  readonly known: { readonly [key: string]: string | undefined };
  readonly hmac: Hmac;
  /** Unix seconds. */
  readonly now: number;
  /** The id of the request, by which CloudFront's line and those of the functions behind it are one. */
  readonly requestId: string;
  /** Told who was let in, or refused; the last that is done, for what it reads may end the attempt. */
  readonly fetched: Fetched;
}

/** In this header the edge tells the functions which request it is. */
export const requestHeader = "x-modfront-request";

/**
 * In this header the edge repeats `?wait=n`, 1 to 8, outside the cache key: how often this request was already sent back
 * while its file was being fetched.
 */
export const waitHeader = "x-modfront-wait";

/** In this header, which caches have in their keys, the edge names the channel by which an answer differs (`view`). */
export const channelHeader = "x-modfront-channel";

/**
 * In this header, outside the cache key, the edge tells the functions in which channel something was asked, empty for the default,
 * and by which path: `"canary /~canary/corp.example/x/@v/main.info"`, with percent forms.
 */
export const viaHeader = "x-modfront-via";

/** In this header CloudFront itself says from which address and port a request came, where a policy asks for it. */
export const viewerHeader = "cloudfront-viewer-address";

/**
 * Returns the answer, or the request as it may go on to the cache and the origins: canonical, and saying who asks. Or the
 * key that must be known for it: reading one waits, which what decides does not, so it is asked again from the start.
 */
export function onViewerRequest(
  request: ViewerRequest,
  context: ViewerContext,
  decide: (request: EdgeRequest, context: EdgeContext) => Decision,
): ViewerRequest | ViewerResponse | string {
  try {
    return answer(request, context, decide, keyValuesOf(context.known));
  } catch (missing) {
    if (typeof missing !== "string") throw missing;
    return missing;
  }
}

/** Whatever is asked for and not known ends the attempt, with its key. */
function keyValuesOf(known: ViewerContext["known"]): KeyValues {
  const value = (key: string): string | undefined => {
    if (!(key in known)) throw key;
    return known[key];
  };
  return {
    access: () => readAccess(value("access")),
    tokens: () => readTokens(value("tokens")),
    text: (key) => readText(value(key)),
  };
}

function answer(
  request: ViewerRequest,
  context: ViewerContext,
  decide: (request: EdgeRequest, context: EdgeContext) => Decision,
  keyValues: KeyValues,
): ViewerRequest | ViewerResponse {
  const decision = decide(
    {
      method: request.method,
      path: request.uri,
      credentials: readHeader(request.headers.authorization),
      header: (name) => readHeader(request.headers[name]),
    },
    {
      keyValues,
      hmac: context.hmac,
      now: () => context.now,
    },
  );
  if (decision.kind === "answer") {
    // Where nothing could be looked up nobody was refused.
    if (decision.identity && decision.status < 500)
      context.fetched(decision.routed as RoutedPath, decision.identity, "refused", keyValues);
    return respond(decision, request.method);
  }
  if (decision.misrouted) return respond(redirect(decision.address || decision.routed.path), request.method);
  const tokens = keyValues.tokens();
  // Without an identity nothing behind the edge would answer, and it must not.
  if (!tokens) return respond(refuseUndecided(), request.method);
  context.fetched(decision.routed, decision.identity, "allowed", keyValues);
  rewrite(request, decision, signIdentity(decision.identity, tokens.identityKey, context.now, context.hmac));
  request.headers[requestHeader] = { value: context.requestId };
  return request;
}

/** Of a header that came more than once nothing is known but that. */
function readHeader(header: Value | undefined): string | [] | undefined {
  if (header === undefined) return undefined;
  const values = header.multiValue;
  return values && values.length > 1 ? [] : header.value;
}

function respond(answer: EdgeAnswer, method: string): ViewerResponse {
  const headers: { [name: string]: Value } = {};
  for (const name in answer.headers) headers[name] = { value: answer.headers[name] as string };
  const response = { statusCode: answer.status, headers, body: answer.body };
  if (method === "HEAD") delete (response as Partial<typeof response>).body;
  return response;
}

/** A path, not a URL: go drops the credentials of its own URL on an absolute one. */
function redirect(path: string): EdgeAnswer {
  return refuse(308, "this address is written otherwise", "location", encodePath(path));
}

function rewrite(request: ViewerRequest, forward: EdgeForward, identity: string): void {
  const wait = request.querystring.wait;
  request.uri = encodePath(forward.routed.path === "/" ? pagePath : forward.routed.path);
  // What lies under /-/ is not cached, and the policy of its behaviour says whether anybody is told.
  if (forward.routed.route !== "site") request.querystring = {};
  for (const name in request.headers) {
    // Nobody else may say who asks, and the token has done its work.
    if (/^(authorization$|x-modfront-)/.test(name)) delete request.headers[name];
  }
  if (forward.prepare) forward.prepare(request.headers);
  request.headers[identityHeader] = { value: identity };
  const address = forward.address;
  const view = forward.view;
  if (view) request.headers[channelHeader] = { value: view };
  if (address) request.headers[viaHeader] = { value: `${forward.channel} ${encodePath(address)}` };
  if (wait !== undefined && /^[1-8]$/.test(wait.value)) request.headers[waitHeader] = { value: wait.value };
}
