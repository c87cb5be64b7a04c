import type { PolicyGate } from "./policy-gate.ts";

/** What a gate is asked. */
export type VersionGate = Pick<PolicyGate, "check" | "refusal" | "shown">;

/** Returns the gate that lets in, and shows, what both of these do; of two refusals it says the first. */
export function bothGates(first: VersionGate, second: VersionGate): VersionGate {
  const refusal: VersionGate["refusal"] = async (module) =>
    (await first.refusal(module)) ?? (await second.refusal(module));
  return {
    refusal,
    check: async (module) => {
      const refused = await refusal(module);
      if (refused !== undefined) throw refused;
    },
    shown: async (path) => {
      const [one, other] = await Promise.all([first.shown(path), second.shown(path)]);
      if (one === undefined || other === undefined) return one ?? other;
      return (version) => one(version) && other(version);
    },
  };
}
