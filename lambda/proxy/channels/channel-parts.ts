import type { Channels } from "./config.ts";

/** What of the channels matters to who chooses one: not where modules come from, which has credentials in it maybe. */
export type ChosenChannels = Readonly<Record<string, Omit<Channels[string], "upstreams">>>;

/** Returns what of the channels matters to who chooses one. */
export function chosenChannels(channels: Channels): ChosenChannels {
  return Object.fromEntries(Object.entries(channels).map(([name, { upstreams, ...chosen }]) => [name, chosen]));
}

/** Returns the names of the channels that have upstreams of their own, and so lists and answers that are remembered apart. */
export function channelsApart(channels: Channels): readonly string[] {
  return Object.entries(channels).flatMap(([name, { upstreams }]) => (upstreams === undefined ? [] : [name]));
}
