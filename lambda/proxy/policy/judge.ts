import { compareStrings } from "../../golang/encoding.ts";
import { compare, prerelease } from "../../golang/semver.ts";
import { holds, type Ruling } from "../store/ruling-store.ts";
import { type ConfiguredPolicy, isAbout, type ModulePolicy, policyFor, type Rule } from "./policy.ts";
import { refusalLines } from "./refusal-lines.ts";

/** What is known of a version when it is judged. */
export interface Facts {
  readonly path: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What is ruled about the module and its versions. */
  readonly rulings?: readonly Ruling[] | undefined;
  /** Other versions of the module that are known, to name one instead. */
  readonly known?: readonly string[] | undefined;
}

/** What a rule has to say that only reports, or that an exception or a block overrules. */
export interface Finding {
  /** `"deny[0]"`, `"allow"`. */
  readonly rule: string;
  readonly reason: string;
}

/** Whether a version may come in. */
export type Verdict =
  | { readonly allowed: true; readonly findings: readonly Finding[] }
  | {
      readonly allowed: false;
      readonly rule: string;
      /** For the person at `go`. */
      readonly lines: readonly string[];
      /** Milliseconds since the epoch. */
      readonly until?: number | undefined;
      readonly findings: readonly Finding[];
    };

/** A rule that a version breaks. */
type Breach = Pick<Rule, "name" | "about" | "reason" | "contact" | "mode"> & { readonly until?: number | undefined };

/**
 * Judges a version: a block refuses, then the first rule of `deny` that is enforced, then the lack of one in `allow`. An
 * exception overrules the lists, and no block. What only reports refuses nothing, and hides nothing that refuses.
 */
export function judge(policy: ConfiguredPolicy, facts: Facts): Verdict {
  const rules = policyFor(policy, facts.path);
  const breaches = breachesOf(rules, facts.version);
  const enforced = isExcepted(facts) ? undefined : breaches.find(({ mode }) => mode === "enforce");
  const refused = blockOf(facts) ?? enforced;
  const findings = breaches.filter((each) => each !== refused).map(findingOf);
  if (refused === undefined) return { allowed: true, findings };
  const { name, until } = refused;
  const instead = newestAllowed(policy, facts);
  const contact = refused.contact ?? rules.contact;
  const lines = refusalLines({ facts, rule: refused, until, instead, contact });
  return { allowed: false, rule: name, lines, until, findings };
}

/** Says of each version of a module whether `judge` refuses it; `undefined` where it refuses none. */
export function refusesBy(
  policy: ConfiguredPolicy,
  { path, now, rulings = [] }: Omit<Facts, "version" | "known">,
): ((version: string) => boolean) | undefined {
  const rules = policyFor(policy, path);
  const standing = rulings.filter((ruling) => holds(ruling, now));
  const versionsOf = (wanted: Ruling["kind"]) =>
    new Set(standing.filter(({ kind }) => kind === wanted).map(({ version }) => version));
  const [blocked, excepted] = [versionsOf("block"), versionsOf("exception")];
  if (blocked.size === 0 && !canRefuse(rules)) return undefined;
  const isIn = (versions: ReadonlySet<string>, version: string) => versions.has("") || versions.has(version);
  return (version) => isIn(blocked, version) || (isRefused(rules, version) && !isIn(excepted, version));
}

function isRefused({ deny, allow, unlisted }: ModulePolicy, version: string): boolean {
  if (deny.some((rule) => rule.mode === "enforce" && isAbout(rule, version))) return true;
  return unlisted === "enforce" && !allow.some((rule) => isAbout(rule, version));
}

function canRefuse({ deny, allow, unlisted }: ModulePolicy): boolean {
  const isAllListed = allow.some(({ versions }) => versions === undefined);
  return deny.some(({ mode }) => mode === "enforce") || (unlisted === "enforce" && !isAllListed);
}

function breachesOf({ deny, allow, unlisted: mode }: ModulePolicy, version: string): readonly Breach[] {
  const denied = deny.filter((rule) => isAbout(rule, version));
  if (mode === undefined || allow.some((rule) => isAbout(rule, version))) return denied;
  const about = "no row of policy.allow is about it";
  return [...denied, { name: "allow", about, reason: undefined, contact: undefined, mode }];
}

/** The block that lasts longest. */
function blockOf(facts: Facts): Breach | undefined {
  const end = ({ until = Number.POSITIVE_INFINITY }: Ruling) => until;
  const [block] = standingOf("block", facts).sort((one, other) =>
    end(one) === end(other) ? compareStrings(one.reason, other.reason) : end(one) < end(other) ? 1 : -1,
  );
  if (block === undefined) return undefined;
  const about = block.version === "" ? "all versions are blocked" : "this version is blocked";
  return { name: "block", about, reason: block.reason, until: block.until, contact: undefined, mode: "enforce" };
}

function isExcepted(facts: Facts): boolean {
  return standingOf("exception", facts).length > 0;
}

function standingOf(wanted: Ruling["kind"], { version, now, rulings = [] }: Facts): Ruling[] {
  return rulings.filter(
    (ruling) => ruling.kind === wanted && (ruling.version === "" || ruling.version === version) && holds(ruling, now),
  );
}

function findingOf({ name, about, reason }: Breach): Finding {
  return { rule: name, reason: reason ?? about };
}

/** The newest release that is allowed, else pre-release. */
function newestAllowed(policy: ConfiguredPolicy, facts: Facts): string | undefined {
  const refuses = refusesBy(policy, facts);
  const allowed = (facts.known ?? []).filter((each) => each !== facts.version && refuses?.(each) !== true);
  const releases = allowed.filter((each) => prerelease(each) === "");
  return newestOf(releases) ?? newestOf(allowed);
}

function newestOf(versions: readonly string[]): string | undefined {
  const isNewer = (one: string, other: string) => (compare(one, other) || compareStrings(one, other)) > 0;
  return versions.reduce<string | undefined>(
    (newest, each) => (newest === undefined || isNewer(each, newest) ? each : newest),
    undefined,
  );
}
