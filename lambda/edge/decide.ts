import { type KeyValues, readAccess, readTokens } from "./access-settings.ts";
import { type Denial, denial } from "./permit.ts";
import { decodePath, malformed, type PathFault, type RoutedPath, routePath } from "./routed-path.ts";
import { behaviourFor, routes } from "./routes.ts";
import { anonymous, type Hmac, type Identity, readCredentials, type TokenFault, verifyToken } from "./token.ts";

export interface EdgeRequest {
  readonly method: string;
  /** Path and query as received, before anyone decodes or normalises: `/github.com/%21azure/x/@v/list?wait=2`. */
  readonly target: string;
  /** Lower-cased names. A header that came more than once is an array, or joined: both are refused as credentials. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
}

/** All that the decision depends on beside the request. */
export interface EdgeContext {
  readonly keyValues: KeyValues;
  readonly hmac: Hmac;
  /** The time in Unix seconds, asked only where a token's end matters. */
  readonly now: () => number;
}

/** The complete answer, made without asking anything behind the edge. For HEAD the caller leaves out the body. */
export interface EdgeAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** The request may go on, to the cache and to what is behind it. */
export interface EdgeForward {
  readonly kind: "forward";
  readonly routed: RoutedPath;
  /** `?wait=n`, 1 to 8: how often this request was already sent back while its file was being fetched. */
  readonly wait: number | undefined;
  /**
   * True when the path was spelt so that CloudFront chose the behaviour of another route (`%40v`): there the answer is
   * 308 to `encodePath(routed.path)`; who routes by `routed` need not care.
   */
  readonly misrouted: boolean;
  /** Who asks: `anonymous` also for those whose token did not matter. */
  readonly identity: Identity;
}

export type Decision = EdgeAnswer | EdgeForward;

/** What a request can be refused for at the edge. */
export type EdgeRefusal =
  | "bad-request"
  | "not-found"
  | "method-not-allowed"
  | "unauthorized"
  | "forbidden"
  | "cannot-decide";

const statuses: Readonly<Record<EdgeRefusal, number>> = {
  "bad-request": 400,
  "not-found": 404,
  "method-not-allowed": 405,
  unauthorized: 401,
  forbidden: 403,
  "cannot-decide": 503,
};

/**
 * Decides what becomes of a request before any cache: an answer, or who asks and the canonical path and route to go on
 * with.
 *
 * Pure, synchronous and without any API of a runtime, so that the same code runs in CloudFront and in the local server.
 */
export function decide(request: EdgeRequest, context: EdgeContext): Decision {
  const target = request.target;
  const mark = target.indexOf("?");
  const received = mark < 0 ? target : target.slice(0, mark);
  const routed = locate(received);
  if ("code" in routed) return refuse(routed.code, routed.reason);
  const methods = routes[routed.route].methods;
  if (methods.indexOf(request.method) < 0) {
    return refuse("method-not-allowed", "this address is only read", "allow", methods.join(", "));
  }
  const identity = identify(routed, request, context);
  if ("kind" in identity) return identity;
  return forward(routed, received, mark < 0 ? undefined : readWait(target.slice(mark + 1)), identity);
}

/** Returns who asks when they may, and else the refusal: never a 404, which would send go to the next proxy. */
function identify(routed: RoutedPath, request: EdgeRequest, context: EdgeContext): Identity | EdgeAnswer {
  const access = routes[routed.route].access;
  if (access.anonymous === "yes") return anonymous;
  const settings = readAccess(context.keyValues.get("access"));
  if (settings === undefined) return refuse("cannot-decide", cannotCheck);
  // The hot path of a server on one machine: nobody's token matters.
  if (settings.anonymous === "all" && access.anonymous !== "no") return anonymous;
  const holder = readHolder(request, context);
  const identity = typeof holder === "string" ? anonymous : holder;
  const why = denial(access, settings, identity, routed.module);
  if (why === undefined) return identity;
  return typeof holder === "string" ? refuseCredentials(holder) : refuseHolder(why, holder);
}

type NoHolder = TokenFault | "absent" | "unreadable" | "cannot-check";

function readHolder(request: EdgeRequest, context: EdgeContext): Identity | NoHolder {
  const header = request.headers.authorization;
  if (header === undefined) return "absent";
  const token = readCredentials(header);
  if (token === undefined) return "unreadable";
  const settings = readTokens(context.keyValues.get("tokens"));
  if (settings === undefined) return "cannot-check";
  return verifyToken(token, settings, context.now(), context.hmac);
}

export const cannotCheck = "modfront cannot check access at the moment";

const notAToken = "these credentials are not a modfront token: it is the password, with any user name";

const credentialLines: Readonly<Record<Exclude<NoHolder, "cannot-check">, string>> = {
  absent: "this needs a modfront token, as the password with any user name: see go help goauth",
  unreadable: notAToken,
  malformed: notAToken,
  unsigned: "this token is not valid here",
  expired: "this token has expired",
  revoked: "this token was revoked",
};

function refuseCredentials(why: NoHolder): EdgeAnswer {
  if (why === "cannot-check") return refuse("cannot-decide", cannotCheck);
  return refuse("unauthorized", credentialLines[why], "www-authenticate", 'Basic realm="modfront"');
}

/** Names the token by its id, so that whoever issued it knows which one to replace. */
function refuseHolder(why: Denial, holder: Identity): EdgeAnswer {
  const line =
    why === "role"
      ? `token ${holder.id} has the role ${holder.role}, which may not do this`
      : `token ${holder.id} does not cover this private module: ask whoever issued it for one that does`;
  return refuse("forbidden", line);
}

/** The longest key with its slash, every byte of it a percent form: what is longer is not worth a look. */
const maxPath = 3 * (1 + 1024);

function locate(received: string): RoutedPath | PathFault {
  const path = received.charAt(0) === "/" && received.length <= maxPath ? decodePath(received) : undefined;
  if (path !== undefined) return routePath(path);
  return { code: "bad-request", reason: malformed };
}

function forward(routed: RoutedPath, received: string, wait: number | undefined, identity: Identity): EdgeForward {
  return {
    kind: "forward",
    routed,
    wait,
    misrouted: received !== routed.path && behaviourFor(received) !== routes[routed.route].pattern,
    identity,
  };
}

/** The query is ignored but for this one number. */
function readWait(query: string): number | undefined {
  const match = /(?:^|&)wait=([1-8])(?:&|$)/.exec(query);
  return match === null ? undefined : Number(match[1]);
}

/** Returns the answer to a request that ends here. Whatever the reason, the next request may be judged otherwise. */
export function refuse(code: EdgeRefusal, line: string, header?: string, value?: string): EdgeAnswer {
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  if (header !== undefined && value !== undefined) headers[header] = value;
  return { kind: "answer", status: statuses[code], headers, body: `${line}\n` };
}
