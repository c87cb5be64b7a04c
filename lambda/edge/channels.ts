import type { ChannelRow } from "./access-settings.ts";
import type { Hmac } from "./hmac.ts";
import { type EdgeAnswer, refuse } from "./refusals.ts";
import { type RoutedPath, routePath } from "./routed-path.ts";
import type { Identity } from "./token.ts";

// Channels: other lists, latest and queries of the same modules, for those who name one and for a share of the others.

/** The part of a decision that a channel changes. */
interface Going {
  routed: RoutedPath;
  readonly identity: Identity;
  address?: string;
  channel?: string;
  view?: string;
}

/**
 * Has a request go on in the channel that it is for, if it is for any: the one that it names (`"/~canary"`), else that of a
 * header, else that whose share the holder of the token is in. Which goes by their name and not by the token, so that a renewed
 * one stays. A row that was rolled back is found as any other, so that nobody comes into another channel by it.
 *
 * Returns the answer where it cannot go on: there is no channel of that name, or the path that it is rewritten to is none.
 */
export function enterChannel(
  going: Going,
  rows: readonly ChannelRow[],
  request: { readonly header?: (name: string) => string | readonly string[] | undefined },
  hmac: Hmac,
): EdgeAnswer | undefined {
  const asked = going.routed;
  const named = asked.named as string;
  const subject = going.identity.subject;
  const first = (fits: (row: ChannelRow) => unknown) => rows.filter(fits)[0];
  const row =
    first((each) => (named ? each[0] === named : request.header && request.header(each[2]) === each[3])) ||
    (!named && subject && first((each) => each[1] && hmac("share", subject) < each[1]));
  if (!row) return named ? refuse(404, "no such channel") : undefined;
  const routed = routePath(row[5] ? row[4].reduce(rewrite, asked.path) : asked.path);
  if ("reason" in routed) return refuse(routed.status, routed.reason);
  going.routed = routed;
  going.channel = row[5];
  // What has neither list, latest nor a query for an answer takes no notice.
  if (!/^v\d+\.\d+\.\d+([+-]|$)/.test(asked.version as string)) going.view = row[5];
  // Checksums are the same in all channels: CloudFront has a behaviour for them without one's name alone.
  going.address = (asked.route === "sumdb" ? "" : named) + asked.path;
  return undefined;
}

/** Puts one beginning in place of another, where the path has it. */
function rewrite(path: string, rule: readonly [from: string, to: string]): string {
  return path.startsWith(rule[0]) ? rule[1] + path.slice(rule[0].length) : path;
}
