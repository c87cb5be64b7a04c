// Port of golang.org/x/mod/module/pseudo.go: versions made up for commits without a tag. The forms are
//
//   vX.0.0-yyyymmddhhmmss-abcdefabcdef            nothing tagged before
//   vX.Y.(Z+1)-0.yyyymmddhhmmss-abcdefabcdef      after vX.Y.Z
//   vX.Y.Z-pre.0.yyyymmddhhmmss-abcdefabcdef      after vX.Y.Z-pre
//
// and the latter two with +incompatible. They are taken apart by position, not by one regular expression, so that a long
// hostile version costs one pass.

import { CodedError } from "./coded-error.ts";
import { decrementDecimal, incrementDecimal } from "./encoding.ts";
import { quote } from "./quoted-string.ts";
import * as semver from "./semver.ts";

/** Thrown with `invalid-pseudo-version` for what is not a pseudo-version, or one that cannot be true. */
export class PseudoVersionError extends CodedError<"invalid-pseudo-version"> {
  constructor(version: string, wrong: string) {
    super("invalid-pseudo-version", `pseudo-version ${quote(version)} is invalid: ${wrong}`);
  }
}

/**
 * Returns the pseudo-version of a commit.
 *
 * `major` is `"v2"` or, for v0, `""`; `older` is the highest tag before the commit or `""`; `rev` is usually the first 12
 * digits of the commit's hash. The time counts in whole seconds of UTC.
 */
export function pseudoVersion(major: string, older: string, time: Date, rev: string): string {
  const segment = `${formatTime(time)}-${rev}`;
  const base = semver.canonical(older);
  const build = semver.build(older);
  if (base === "") return `${major === "" ? "v0" : major}.0.0-${segment}`;
  if (semver.prerelease(base) !== "") return `${base}.0.${segment}${build}`;
  const patch = base.lastIndexOf(".") + 1;
  return `${base.slice(0, patch)}${incrementDecimal(base.slice(patch))}-0.${segment}${build}`;
}

/** Returns a placeholder: the pseudo-version with the first second of year 1 and a revision of zeros. */
export function zeroPseudoVersion(major: string): string {
  return pseudoVersion(major, "", new Date("0001-01-01T00:00:00Z"), "000000000000");
}

/** Go's layout 20060102150405; a year beyond 9999 just gets longer. */
function formatTime(time: Date): string {
  const year = time.getUTCFullYear();
  const sign = year < 0 ? "-" : "";
  const rest = [
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
  ].map((part) => String(part).padStart(2, "0"));
  return sign + String(Math.abs(year)).padStart(4, "0") + rest.join("");
}

interface Parts {
  /** `vX.0.0`, `vX.Y.(Z+1)-0` or `vX.Y.Z-pre.0`. */
  readonly base: string;
  readonly timestamp: string;
  readonly rev: string;
  /** With its `+`, or empty. */
  readonly build: string;
}

const timestampLength = 14;

function parse(version: string): Parts | undefined {
  if (!semver.isValid(version)) return undefined;
  const build = semver.build(version);
  const prerelease = semver.prerelease(version);
  const start = version.length - build.length - prerelease.length;
  const dash = prerelease.lastIndexOf("-");
  const rev = prerelease.slice(dash + 1);
  const timestamp = prerelease.slice(Math.max(1, dash - timestampLength), Math.max(1, dash));
  if (!/^[0-9]{14}$/.test(timestamp) || !/^[0-9A-Za-z]+$/.test(rev)) return undefined;
  const before = prerelease.slice(0, dash - timestampLength);
  const untagged = before === "-" && /\.0\.0$/.test(version.slice(0, start));
  if (!untagged && before !== "-0." && !before.endsWith(".0.")) return undefined;
  return { base: version.slice(0, start) + before.slice(0, -1), timestamp, rev, build };
}

function mustParse(version: string): Parts {
  const parts = parse(version);
  if (parts === undefined) throw new PseudoVersionError(version, "it has none of their forms");
  return parts;
}

/** Reports whether the version has one of the forms of a pseudo-version. Its time may still be impossible. */
export function isPseudoVersion(version: string): boolean {
  return parse(version) !== undefined;
}

/** Reports whether the version is what `zeroPseudoVersion` returns for its major version. */
export function isZeroPseudoVersion(version: string): boolean {
  return version === zeroPseudoVersion(semver.major(version));
}

/** Returns the commit time in a pseudo-version, or throws `invalid-pseudo-version`. */
export function pseudoVersionTime(version: string): Date {
  const { timestamp } = mustParse(version);
  const iso = timestamp.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6Z");
  const time = new Date(iso);
  // Date takes 24:00:00 and rolls over days that a month does not have.
  if (Number.isNaN(time.getTime()) || formatTime(time) !== timestamp) {
    throw new PseudoVersionError(version, `${timestamp} is not a time`);
  }
  return time;
}

/** Returns the revision in a pseudo-version, or throws `invalid-pseudo-version`. */
export function pseudoVersionRev(version: string): string {
  return mustParse(version).rev;
}

/**
 * Returns the tag that a pseudo-version follows, `""` if it follows none, or throws `invalid-pseudo-version`.
 *
 * `"v1.2.4-0.20191109021931-daa7c04131f5"` gives `"v1.2.3"`. A version without a tag before it cannot be
 * `+incompatible`, and there is no tag before `vX.Y.0-0.`; x/mod refuses both.
 */
export function pseudoVersionBase(version: string): string {
  const { base, build } = mustParse(version);
  const prerelease = semver.prerelease(base);
  if (prerelease === "") {
    if (build !== "") throw new PseudoVersionError(version, "it has no base version but build metadata");
    return "";
  }
  if (prerelease !== "-0") return base.slice(0, -".0".length) + build;
  const release = base.slice(0, -"-0".length);
  const start = release.lastIndexOf(".") + 1;
  const patch = decrementDecimal(release.slice(start));
  if (patch === undefined) throw new PseudoVersionError(version, "its patch number leaves no version before it");
  return release.slice(0, start) + patch + build;
}
