import { PolicyGate } from "../../lambda/proxy/policy/policy-gate.ts";

/** A policy that lets everything in. */
export const noPolicy = { allow: [], deny: [] } as const;

/** The gate that everything passes. */
export const openGate = new PolicyGate({
  policy: noPolicy,
  index: { module: async () => ({ versions: [], list: undefined, latest: undefined }) },
  clock: { now: () => 0 },
});
