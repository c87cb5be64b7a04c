import type { ChannelRow } from "../../edge/access-settings.ts";
import { escapePath } from "../../golang/module.ts";
import type { ChosenChannels } from "./channel-parts.ts";

/** When channels were rolled back, in Unix seconds, by their names. */
export type Ended = ReadonlyMap<string, number>;

/**
 * Returns the channels as the edge knows them, in the order of the configuration. One that was rolled back has no rewrites, and
 * its share stays its own, so that nobody else is moved.
 */
export function channelRows(channels: ChosenChannels, ended: Ended): readonly ChannelRow[] {
  let below = 0;
  return Object.entries(channels).map(([name, { share = 0, header, rewrite = [] }]) => {
    below += share;
    const since = ended.get(name);
    const isEnded = since !== undefined;
    const rewrites = isEnded ? [] : rewrite.map(({ from, to }) => [beginning(from), beginning(to)] as const);
    const place = [`/~${name}`, share === 0 ? "" : pointAt(below), header?.name ?? "", header?.value ?? null] as const;
    return isEnded ? [...place, rewrites, "", since] : [...place, rewrites, name];
  });
}

/** Returns which of the rows were rolled back. */
export function endedOf(rows: readonly ChannelRow[] = []): Ended {
  return new Map(rows.flatMap(([named, , , , , , since]) => (since === undefined ? [] : [[named.slice(2), since]])));
}

/** `"/go.dev/!v1/"` of `"go.dev/V1"`. */
function beginning(prefix: string): string {
  return `/${escapePath(`${prefix}/x`).slice(0, -1)}`;
}

/** The digits of base64url in the order in which text sorts. */
const digits = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const places = 4;

/** Returns the text below which this part of all base64url texts sorts, `"~"` for all of them. */
function pointAt(part: number): string {
  let left = Math.round(part * digits.length ** places);
  if (left >= digits.length ** places) return "~";
  let text = "";
  for (let place = 0; place < places; place++) {
    text = digits.charAt(left % digits.length) + text;
    left = Math.floor(left / digits.length);
  }
  return text;
}
