import { holds, type RulingKind } from "../store/ruling-store.ts";
import { type Facts, type Finding, judge } from "./judge.ts";
import { type ConfiguredPolicy, type Mode, policyFor, type Rule } from "./policy.ts";

/** All that is said of a module, and of one version where one is named: what may be shown to whoever may read it. */
export interface Explanation {
  readonly module: string;
  readonly version?: string;
  /** Whether the version may come in, or why not, as `go` prints it. */
  readonly allowed?: boolean;
  readonly refusal?: readonly string[];
  /** What is not enforced, or overruled. */
  readonly findings?: readonly Finding[];
  /** The rules that are about the module, in their order. */
  readonly rules: readonly {
    readonly rule: string;
    readonly about: string;
    readonly reason?: string;
    readonly mode: Mode;
  }[];
  /** True where nothing comes in that no rule of `allow` is about. */
  readonly onlyListed: boolean;
  /** What is blocked and excepted, by when it ends; without a version: all of the module. */
  readonly rulings: readonly {
    readonly kind: RulingKind;
    readonly version?: string;
    readonly reason: string;
    readonly until?: string;
  }[];
}

/** Explains what a policy and rulings come to for a module. */
export function explanationOf(
  policy: ConfiguredPolicy,
  { version, ...facts }: Omit<Facts, "version"> & { readonly version: string | undefined },
): Explanation {
  const { deny, allow, unlisted } = policyFor(policy, facts.path);
  const verdict = version === undefined ? undefined : judge(policy, { ...facts, version });
  const standing = (facts.rulings ?? []).filter((ruling) => holds(ruling, facts.now));
  return {
    module: facts.path,
    ...(version !== undefined && { version }),
    ...(verdict !== undefined && { allowed: verdict.allowed, findings: verdict.findings }),
    ...(verdict !== undefined && !verdict.allowed && { refusal: verdict.lines }),
    rules: [...deny, ...allow].map(shownRule),
    onlyListed: unlisted === "enforce",
    rulings: standing.map(({ kind, version, reason, until }) => ({
      kind,
      ...(version !== "" && { version }),
      reason,
      ...(until !== undefined && { until: new Date(until).toISOString() }),
    })),
  };
}

function shownRule({ name, about, reason, mode }: Rule): Explanation["rules"][number] {
  return { rule: name, about, ...(reason !== undefined && { reason }), mode };
}
