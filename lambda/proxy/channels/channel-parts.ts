import type { ConfiguredPolicy } from "../policy/policy.ts";
import type { Channels } from "./config.ts";

/** What of the channels matters to who chooses one: not where modules come from, which has credentials in it maybe, nor what is refused. */
export type ChosenChannels = Readonly<Record<string, Omit<Channels[string], "upstreams" | "policy">>>;

/** Returns what of the channels matters to who chooses one. */
export function chosenChannels(channels: Channels): ChosenChannels {
  return Object.fromEntries(Object.entries(channels).map(([name, { upstreams, policy, ...chosen }]) => [name, chosen]));
}

/** Returns the names of the channels that have upstreams or a policy of their own, and so lists and answers that are remembered apart. */
export function channelsApart(channels: Channels): readonly string[] {
  return Object.entries(channels).flatMap(([name, { upstreams, policy }]) => (upstreams || policy ? [name] : []));
}

/** Returns the policies of those channels that have one of their own. */
export function channelPolicies(channels: Channels): ReadonlyMap<string, ConfiguredPolicy> {
  return new Map(
    Object.entries(channels).flatMap(([name, { policy }]) => (policy === undefined ? [] : [[name, policy]])),
  );
}
