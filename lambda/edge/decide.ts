import type { AccessSettings, KeyValues } from "./access-settings.ts";
import { blockLine } from "./blocks.ts";
import { enterChannel } from "./channels.ts";
import type { Hmac } from "./hmac.ts";
import { hides, judge } from "./permit.ts";
import { alive, type EdgeAnswer, onlyRead, refuse, refuseCaller, refuseUndecided } from "./refusals.ts";
import { bad, decodePath, malformed, type PathFault, type RoutedPath, routeChannelled } from "./routed-path.ts";
import { controlPatterns, fitsPattern, patterns, probes, publishingPatterns, readMethods } from "./routes.ts";
import { anonymous, type Identity, nobody, readCredentials, verifyToken } from "./token.ts";

/** In this header the edge hands on the Authorization of who asks for a token and shows none: an ID token maybe. */
export const credentialsHeader = "x-modfront-credentials";

export interface EdgeRequest {
  readonly method: string;
  /** The path as received, before anyone decodes or normalises: `/github.com/%21azure/x/@v/list`. */
  readonly path: string;
  /** The Authorization header; an array when it came more than once: refused, as one that was joined with a comma is. */
  readonly credentials: string | readonly string[] | undefined;
  /** The value of another header, by its name in small letters: one may choose a channel. */
  readonly header?: (name: string) => string | readonly string[] | undefined;
}

/** All that the decision depends on beside the request. */
export interface EdgeContext {
  readonly keyValues: KeyValues;
  readonly hmac: Hmac;
  /** The time in Unix seconds, asked only where the end of something matters. */
  readonly now: () => number;
  /** `blockLine` of a server that has more than the key values have. */
  readonly blocked?: (routed: RoutedPath) => string | undefined;
}

/** The request may go on, to the cache and to what is behind it. */
export interface EdgeForward {
  readonly kind: "forward";
  /** What is served: in a channel it may be another module than was asked for. */
  routed: RoutedPath;
  /**
   * True when the path was spelt so that CloudFront chose the behaviour of another route (`%40v`): there the answer is
   * 308 to `encodePath`; who routes by `routed` need not care.
   */
  readonly misrouted: boolean;
  /** Who asks: `anonymous` also for those whose token did not matter. */
  readonly identity: Identity;
  /** The canonical path of what was asked, where a channel was found for it: with its name, and as it was before a rewrite. */
  address?: string;
  /** That channel: what is missing is fetched from its upstreams. Empty for the default, which one that was rolled back is. */
  channel?: string;
  /**
   * The same, but only where answers may differ by channel: not for a canonical version. Every cache has it in its key, so that
   * whoever makes a list, latest or the answer to a query goes by this alone.
   */
  view?: string;
  /** Has the last word about the headers with which CloudFront asks an origin. */
  prepare?: (headers: { [name: string]: { value: string } }) => void;
}

export type Decision = EdgeAnswer | EdgeForward;

/**
 * Decides what becomes of a request before any cache: an answer, or who asks and the canonical path and route to go on
 * with. About the module protocol it decides finally; of `/` and `/-/…` it says who asks, and their rows decide.
 *
 * Pure, synchronous and without any API of a runtime, so that the same code runs in CloudFront and in the local server.
 */
export function decide(request: EdgeRequest, context: EdgeContext): Decision {
  const asked = locate(request.path);
  if ("reason" in asked) return refuse(asked.status, asked.reason);
  if (asked.route === "site") return forward(request, asked, readHolder(request, context), patterns.site);
  if (readMethods.indexOf(request.method) < 0) return refuse(405, onlyRead, "allow", readMethods.join(", "));
  const keyValues = context.keyValues;
  const settings = keyValues.access();
  if (!settings) return refuseUndecided();
  const channels = settings.channels;
  const isOpen = settings.anonymous === "all";
  // The hot path of a server on one machine: nobody's token matters.
  const holder = isOpen && !channels ? anonymous : readHolder(request, context);
  const going = forward(request, asked, holder, patterns[asked.route]);
  return (
    ((channels || asked.named) && enterChannel(going, channels || [], request, context.hmac)) ||
    // Of the module that is served.
    (!isOpen && refusalOf(going.routed, settings, holder, keyValues.text)) ||
    blockOf(going.routed, context) ||
    going
  );
}

/**
 * Decides as `decide` does about what was received under `/-/`, without a rule of the module protocol; and answers those
 * who ask whether anything does, so that no probe, whoever sends it, takes the place of a miss. What is published or administered is
 * for token holders alone: whoever has none costs no function there.
 */
export function decideSite(request: EdgeRequest, context: EdgeContext): Decision {
  const routed = locate(request.path);
  if ("reason" in routed) return refuse(routed.status, routed.reason);
  if (routed.path === probes.live && readMethods.indexOf(request.method) >= 0) return alive();
  const holder = readHolder(request, context);
  if (routed.path === controlPatterns.token) {
    // An address of its own: what is spelt otherwise and begins so does not stand for it.
    const going = forward(request, routed, holder, `${routed.path}*`);
    going.prepare = (headers) => {
      // CloudFront shows a certificate to origins alone: this is the client's own doing.
      delete headers["cloudfront-viewer-cert-pem"];
      if (holder.role === "anonymous" && typeof request.credentials === "string")
        headers[credentialsHeader] = { value: request.credentials };
    };
    return going;
  }
  const guarded = [publishingPatterns.publish, publishingPatterns.yanks, controlPatterns.admin];
  const pattern = guarded.filter((each) => fitsPattern(each, routed.path))[0];
  if (pattern === undefined) return forward(request, routed, holder, patterns.site);
  return holder.role === "anonymous" ? refuseCaller("no-token", holder) : forward(request, routed, holder, pattern);
}

function forward(request: EdgeRequest, routed: RoutedPath, identity: Identity, pattern: string): EdgeForward {
  const misrouted = request.path !== routed.path && !fitsPattern(pattern, request.path);
  return { kind: "forward", routed, misrouted, identity };
}

/** Returns the refusal of who may not, and notes of the path whether its module is private. */
function refusalOf(
  routed: RoutedPath,
  settings: AccessSettings,
  holder: Identity,
  text: KeyValues["text"],
): EdgeAnswer | undefined {
  routed.hidden = hides(settings, routed.module, text);
  const why = judge(settings, holder, routed.module, text, routed.hidden);
  if (!why) return undefined;
  const refusal = refuseCaller(why, holder);
  refusal.identity = holder;
  refusal.routed = routed;
  return refusal;
}

/** Returns the refusal of what is blocked, whoever asks. What the log says of it stays true. */
function blockOf(routed: RoutedPath, context: EdgeContext): EdgeAnswer | undefined {
  if (routed.route === "sumdb") return undefined;
  const line = (context.blocked || blockLine)(routed, context);
  return line === undefined ? refuseUndecided() : line ? refuse(403, line) : undefined;
}

/** Returns who asks by what they show, or why that makes nobody known. */
export function readHolder(request: EdgeRequest, context: EdgeContext): Identity {
  const header = request.credentials;
  if (header === undefined) return anonymous;
  const token = readCredentials(header);
  if (token === undefined) return nobody("malformed");
  const claims = verifyToken(token, context.keyValues, context.now(), context.hmac);
  return typeof claims === "string" ? nobody(claims) : claims;
}

function locate(received: string): RoutedPath | PathFault {
  // The longest key with its slash, every byte of it a percent form: what is longer is not worth a look.
  const path = received[0] === "/" && received.length <= 3 * (1 + 1024) ? decodePath(received) : undefined;
  return path === undefined ? bad(malformed) : routeChannelled(path);
}
