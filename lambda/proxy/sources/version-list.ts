import { canonicalVersion, check } from "../../golang/module.ts";
import { isPseudoVersion, pseudoVersionTime } from "../../golang/pseudo.ts";
import { build, compare, prerelease, sort } from "../../golang/semver.ts";
import { ServedError } from "../store/served-error.ts";

/** No honest list is longer (in bytes): 10,000 versions take a tenth of it. */
export const listLimit = 4 * 1024 * 1024;

/** The versions of a module: what `@v/list` shows, and the newest pseudo-version, which only `@latest` may use. */
export interface VersionList {
  /** Canonical, in semver order, without duplicates and pseudo-versions. */
  readonly tagged: readonly string[];
  readonly newestPseudo: string | undefined;
}

/**
 * Reads the text of an upstream's `@v/list` for the module `path`.
 *
 * Like `go`, takes the first word of each line; leaves out what is not a canonical version of the path's major. Throws
 * `ServedError` "upstream-failed" for text without one valid line: a login page is not an empty list.
 */
export function parseList(path: string, text: string): VersionList {
  const words = text
    .split("\n")
    .flatMap((line) => line.trim().split(/\s/, 1))
    .filter((word) => word !== "");
  const valid = words.filter((word) => isVersionOf(path, word));
  if (words.length > 0 && valid.length === 0)
    throw new ServedError("upstream-failed", "its version list has no version in it");
  return versionList(valid);
}

/** Sorts canonical versions of one module into a list. */
export function versionList(versions: Iterable<string>): VersionList {
  const all = [...new Set(versions)];
  const pseudo = all.filter(isPseudoVersion);
  const tagged = all.filter((version) => !isPseudoVersion(version));
  sort(tagged);
  return { tagged, newestPseudo: newestPseudoVersion(pseudo) };
}

/** Two lists of the same module as one. */
export function mergeLists(...lists: readonly VersionList[]): VersionList {
  return versionList(lists.flatMap((list) => [...list.tagged, ...(list.newestPseudo ? [list.newestPseudo] : [])]));
}

/** The body of `@v/list`: one version per line, each with its newline; empty for a module without releases. */
export function formatList(list: VersionList): string {
  return list.tagged.map((version) => `${version}\n`).join("");
}

/** The text under which a list is remembered: the body of `@v/list`, then the newest pseudo-version. */
export function formatRemembered(list: VersionList): string {
  return formatList(list) + (list.newestPseudo === undefined ? "" : `${list.newestPseudo}\n`);
}

/** The body of `@v/list` out of `formatRemembered`'s text, without reading 10,000 versions to write them again. */
export function rememberedBody(text: string): string {
  const last = text.lastIndexOf("\n", text.length - 2) + 1;
  return isPseudoVersion(text.slice(last, -1)) ? text.slice(0, last) : text;
}

/** Reads back `formatRemembered`; rows are ours and were checked when they were written. */
export function parseRemembered(text: string): VersionList {
  return versionList(text.split("\n").filter((line) => line !== ""));
}

/** True for canonical versions that the module can have: `check` alone lets `v1.5` and `v1.0.0+build` pass. */
function isVersionOf(path: string, version: string): boolean {
  try {
    check(path, version);
    return canonicalVersion(version) === version;
  } catch {
    return false;
  }
}

/** The version whose go.mod speaks for the module's retractions: the highest release, else prerelease, else pseudo. */
export function highestVersion(list: VersionList): string | undefined {
  const { releases, prereleases } = candidates(list);
  return releases.at(-1) ?? prereleases.at(-1) ?? list.newestPseudo;
}

/**
 * What `@latest` answers: the highest release not retracted, else the highest such prerelease, else the newest
 * pseudo-version if it is not; where everything is retracted, the highest there is. `undefined` for a module without versions.
 */
export function latestVersion(list: VersionList, isRetracted: (version: string) => boolean): string | undefined {
  const { releases, prereleases } = candidates(list);
  const kept = (version: string) => !isRetracted(version);
  const pseudo = list.newestPseudo !== undefined && kept(list.newestPseudo) ? list.newestPseudo : undefined;
  return releases.findLast(kept) ?? prereleases.findLast(kept) ?? pseudo ?? highestVersion(list);
}

/** `+incompatible` versions count only where no release without it exists. */
function candidates(list: VersionList): {
  readonly releases: readonly string[];
  readonly prereleases: readonly string[];
} {
  const releases = list.tagged.filter((version) => prerelease(version) === "");
  const prereleases = list.tagged.filter((version) => prerelease(version) !== "");
  const compatible = releases.filter((version) => build(version) === "");
  if (compatible.length === 0) return { releases, prereleases };
  return { releases: compatible, prereleases: prereleases.filter((version) => build(version) === "") };
}

function newestPseudoVersion(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>((newest, version) => {
    if (newest === undefined) return version;
    const later = pseudoVersionTime(version).getTime() - pseudoVersionTime(newest).getTime();
    return later > 0 || (later === 0 && compare(version, newest) > 0) ? version : newest;
  }, undefined);
}
