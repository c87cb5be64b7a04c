import { matchPrefixPatterns } from "../../golang/module.ts";
import { isPseudoVersion } from "../../golang/pseudo.ts";
import { build, compare, major, max, prerelease } from "../../golang/semver.ts";
import type { PublicationReport } from "../store/fill-plane.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { VersionRow } from "../store/version-index.ts";

/** `publishing.rules` of the configuration. */
export interface PublicationRule {
  readonly modules: readonly string[];
  readonly sequence: "any" | "next";
  readonly prerelease: boolean;
  readonly requireTag: boolean;
  readonly api: "off" | "report" | "enforce";
}

/**
 * Says in one line why a version may not be published beside those that are there, or nothing where it may. The first rule
 * that fits the module decides.
 */
export function publicationFault(
  rules: readonly PublicationRule[],
  module: ModuleVersion,
  rows: readonly Pick<VersionRow, "version" | "flags">[],
  report: PublicationReport,
): string | undefined {
  const there = rows.map(({ version }) => version);
  // What the list names is what the API can have been compared with.
  const listed = rows.filter(({ flags }) => !flags.includes("yanked")).map(({ version }) => version);
  const rule = rules.find(({ modules }) => matchPrefixPatterns(modules.join(","), module.path));
  if (rule === undefined) return undefined;
  return (
    prereleaseFault(rule, module) ??
    tagFault(rule, module, report) ??
    sequenceFault(rule, module, there) ??
    apiFault(rule, module, listed, report)
  );
}

function prereleaseFault(rule: PublicationRule, { version }: ModuleVersion): string | undefined {
  if (rule.prerelease || prerelease(version) === "") return undefined;
  return `${version} is a pre-release, and publishing.rules has none of this module`;
}

/** The tag of a module in a folder has that before the version. */
function tagFault(rule: PublicationRule, { version }: ModuleVersion, { tag }: PublicationReport): string | undefined {
  if (!rule.requireTag || tag === version || tag?.endsWith(`/${version}`)) return undefined;
  return tag === undefined
    ? "publishing.rules wants a tag for this module: modfront publish --tag"
    : `the tag of ${version} is called ${version}, behind the module's folder`;
}

function sequenceFault(
  rule: PublicationRule,
  { version }: ModuleVersion,
  there: readonly string[],
): string | undefined {
  if (rule.sequence === "any") return undefined;
  const highest = highestOf(there);
  if (highest === undefined) return undefined;
  if (compare(version, highest) <= 0) return `${version} is not newer than ${highest}, which is there`;
  const next = followers(highest);
  if (next.some((core) => version === core || version.startsWith(`${core}-`))) return undefined;
  return `after ${highest} comes ${next.join(", ")} or a pre-release of one of them`;
}

function apiFault(
  rule: PublicationRule,
  { version }: ModuleVersion,
  there: readonly string[],
  { api }: PublicationReport,
): string | undefined {
  const base = highestOf(there.filter((each) => prerelease(each) === "" && compare(each, version) < 0));
  // Nothing is promised before v1, and between two majors.
  if (rule.api !== "enforce" || major(version) === "v0" || base === undefined || major(base) !== major(version))
    return undefined;
  if (api === undefined) return `publishing.rules wants a comparison of the API with ${base}: modfront publish --api`;
  if (api.base !== base) return `the API was compared with ${api.base}, and ${base} is the release before`;
  if (api.verdict === "compatible") return undefined;
  return api.verdict === "incompatible"
    ? `the API of ${version} breaks that of ${base}: a change that does is a new major version`
    : `the API of ${version} could not be compared with ${base}`;
}

function highestOf(versions: readonly string[]): string | undefined {
  const tagged = versions.filter((version) => !isPseudoVersion(version));
  return tagged.length === 0 ? undefined : tagged.reduce((one, other) => max(one, other));
}

/** The three releases that may follow, or the one of which there was a pre-release. */
function followers(version: string): readonly string[] {
  const core = version.slice(1, version.length - prerelease(version).length - build(version).length);
  const [major = 0, minor = 0, patch = 0] = core.split(".").map(Number);
  const after = [`v${major}.${minor}.${patch + 1}`, `v${major}.${minor + 1}.0`, `v${major + 1}.0.0`];
  return prerelease(version) === "" ? after : [`v${core}`];
}
