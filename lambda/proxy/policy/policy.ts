import { CodedError } from "../../golang/coded-error.ts";
import { matchPrefixPatterns } from "../../golang/module.ts";
import { isInRanges, parseRanges, type VersionRanges } from "./version-ranges.ts";

/** Whether a rule refuses, or only says what it would refuse. */
export type Mode = "enforce" | "report";

/** A rule as the configuration has it. */
export interface ConfiguredRule {
  /** Patterns in GOPRIVATE syntax. */
  readonly modules: readonly string[];
  /** As `parseRanges` reads them; absent: all versions. */
  readonly versions?: string | undefined;
  readonly reason?: string | undefined;
  readonly contact?: string | undefined;
  readonly mode: Mode;
}

export interface ConfiguredPolicy {
  readonly allow: readonly ConfiguredRule[];
  readonly deny: readonly ConfiguredRule[];
  /** Whom to ask. */
  readonly contact?: string | undefined;
}

/** A rule that is about a module. */
export interface Rule {
  /** Where it stands: `"deny[0]"`. */
  readonly name: string;
  /** By what it is about the module, as the configuration has it: `"example.com/m >=v1.2.0 <v1.4.0"`. */
  readonly about: string;
  readonly versions: VersionRanges | undefined;
  readonly reason: string | undefined;
  readonly contact: string | undefined;
  readonly mode: Mode;
}

/** What of a policy is about one module. */
export interface ModulePolicy {
  readonly deny: readonly Rule[];
  readonly allow: readonly Rule[];
  /** What befalls a version that no rule of `allow` is about; `undefined` where there is no list of what is allowed. */
  readonly unlisted: Mode | undefined;
  readonly contact: string | undefined;
}

/** The rules that are about a module, in the order of the configuration. */
export function policyFor({ allow, deny, contact }: ConfiguredPolicy, path: string): ModulePolicy {
  const rulesOf = (list: "allow" | "deny", rules: readonly ConfiguredRule[]) =>
    rules.flatMap((rule, i) => {
      // The others may name what whoever asks for this module may not know of.
      const modules = rule.modules.filter((pattern) => matchPrefixPatterns(pattern, path));
      return modules.length === 0 ? [] : [readRule(`${list}[${i}]`, { ...rule, modules })];
    });
  const isEnforced = allow.some(({ mode }) => mode === "enforce");
  const unlisted = allow.length === 0 ? undefined : isEnforced ? "enforce" : "report";
  return { deny: rulesOf("deny", deny), allow: rulesOf("allow", allow), unlisted, contact };
}

/** Reports whether a rule about the module is about this version of it. */
export function isAbout({ versions }: Rule, version: string): boolean {
  return versions === undefined || isInRanges(versions, version);
}

function readRule(name: string, { modules, versions, reason, contact, mode }: ConfiguredRule): Rule {
  const about = [modules.join(","), versions].filter((text) => text !== undefined).join(" ");
  const ranges = versions === undefined ? undefined : parseRanges(versions);
  if (versions !== undefined && ranges === undefined)
    throw new CodedError("config", `policy.${name}: these are no versions: ${versions}`);
  return { name, about, versions: ranges, reason, contact, mode };
}
