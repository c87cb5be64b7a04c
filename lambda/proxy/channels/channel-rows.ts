import type { ChannelRow } from "../../edge/access-settings.ts";
import { escapePath } from "../../golang/module.ts";
import type { ChosenChannels } from "./channel-parts.ts";

/** When channels were rolled back, in Unix seconds, by their names. */
export type Ended = ReadonlyMap<string, number>;

/**
 * Returns the channels as the edge knows them, in the order of the configuration. The share of one that was rolled back stays its
 * own, so that nobody else is moved.
 */
export function channelRows(channels: ChosenChannels, ended: Ended): readonly ChannelRow[] {
  let below = 0;
  return Object.entries(channels).map(([name, { share = 0, header, rewrite = [] }]) => {
    below += share;
    const rewrites = rewrite.map(({ from, to }) => [beginning(from), beginning(to)] as const);
    const place = [`/~${name}`, share === 0 ? "" : pointAt(below), header?.name ?? "", header?.value ?? null] as const;
    return channelSince([...place, rewrites, name], ended.get(name));
  });
}

/** Returns the row of a channel that was rolled back since then (Unix seconds), or that is not, where that is undefined. */
export function channelSince(row: ChannelRow, since: number | undefined): ChannelRow {
  const [named, below, header, value, rewrites] = row;
  const place = [named, below, header, value, rewrites] as const;
  return since === undefined ? [...place, nameOf(row)] : [...place, "", since];
}

export function nameOf([named]: ChannelRow): string {
  return named.slice("/~".length);
}

/** A channel as people see it: how it is chosen, and when it was rolled back (Unix seconds). */
export interface ShownChannel {
  readonly name: string;
  readonly share: number;
  readonly header?: { readonly name: string; readonly value: string };
  readonly rolledBack?: number;
}

/** Returns the rows as people see them. */
export function shownChannels(rows: readonly ChannelRow[]): readonly ShownChannel[] {
  let before = 0;
  return rows.map((row) => {
    const [, below, header, value, , , since] = row;
    const end = below === "" ? before : partBelow(below);
    const share = Math.round((end - before) * 10_000) / 10_000;
    before = end;
    return {
      ...{ name: nameOf(row), share },
      ...(value !== null && { header: { name: header, value } }),
      ...(since !== undefined && { rolledBack: since }),
    };
  });
}

/** Returns which of the rows were rolled back. */
export function endedOf(rows: readonly ChannelRow[] = []): Ended {
  return new Map(rows.flatMap((row) => (row[6] === undefined ? [] : [[nameOf(row), row[6]]])));
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

/** The part of all texts that sort below this one. */
function partBelow(text: string): number {
  if (text === "~") return 1;
  let part = 0;
  for (const digit of text) part = part * digits.length + digits.indexOf(digit);
  return part / digits.length ** places;
}
