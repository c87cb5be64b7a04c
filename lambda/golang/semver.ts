// Port of golang.org/x/mod/semver: versions with a leading "v", with `v1` and `v1.2` as short forms of `v1.0.0` and
// `v1.2.0`. Numbers stay digit strings, so their length does not matter.

import { compareDecimals, compareStrings } from "./encoding.ts";
import { sortedStrings } from "./sorted-strings.ts";
import { allAtOnce, type Steps, stepsPerTurn } from "./steps.ts";

interface Parsed {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** What is missing from a short form: `".0.0"`, `".0"` or `""`. */
  readonly short: string;
  /** With its leading `-`, or empty. */
  readonly prerelease: string;
  /** With its leading `+`, or empty. */
  readonly build: string;
}

const form = /^v(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?)?$/;

/** The version asked about last: each is asked several things in a row, and a list may have half a million. */
let last: { readonly version: string; readonly parsed: Parsed | undefined } = { version: "", parsed: undefined };

function parse(version: string): Parsed | undefined {
  if (last.version !== version) last = { version, parsed: takeApart(version) };
  return last.parsed;
}

function takeApart(version: string): Parsed | undefined {
  const match = form.exec(version);
  if (match === null) return undefined;
  const [, major = "", minor, patch, prerelease = "", build = ""] = match;
  if (malformedPrerelease.test(prerelease) || emptyIdentifier.test(build)) return undefined;
  const short = minor === undefined ? ".0.0" : patch === undefined ? ".0" : "";
  return { major, minor: minor ?? "0", patch: patch ?? "0", short, prerelease, build };
}

/** Of a suffix with its `-` or `+`. */
const emptyIdentifier = /^.\.|\.\.|\.$/;
/** Numbers have no leading zeros. */
const malformedPrerelease = /^.\.|\.\.|\.$|(?:^-|\.)0[0-9]+(?:\.|$)/;

function identifiers(suffix: string): string[] {
  return suffix === "" ? [] : suffix.slice(1).split(".");
}

/** Reports whether `version` is a semantic version with a leading `v`. */
export function isValid(version: string): boolean {
  return parse(version) !== undefined;
}

/** Returns the version in full and without build metadata, or `""` if it is invalid: `"v1.2+meta"` is, `"v1.2"` becomes `"v1.2.0"`. */
export function canonical(version: string): string {
  const parsed = parse(version);
  if (parsed === undefined) return "";
  return version.slice(0, version.length - parsed.build.length) + parsed.short;
}

/** Returns the major version with its `v`, or `""` if the version is invalid: `"v2.1.0"` gives `"v2"`. */
export function major(version: string): string {
  const parsed = parse(version);
  return parsed === undefined ? "" : `v${parsed.major}`;
}

/** Returns the major and minor version, or `""` if the version is invalid: `"v2.1.0"` gives `"v2.1"`, `"v2"` gives `"v2.0"`. */
export function majorMinor(version: string): string {
  const parsed = parse(version);
  return parsed === undefined ? "" : `v${parsed.major}.${parsed.minor}`;
}

/** Returns the prerelease with its `-`, or `""` if there is none: `"v2.1.0-pre+meta"` gives `"-pre"`. */
export function prerelease(version: string): string {
  return parse(version)?.prerelease ?? "";
}

/** Returns the build metadata with its `+`, or `""` if there is none: `"v2.1.0+meta"` gives `"+meta"`. */
export function build(version: string): string {
  return parse(version)?.build ?? "";
}

/**
 * Compares two versions by semantic version precedence: -1, 0 or +1.
 *
 * Build metadata does not count. An invalid version is lower than any valid one and equal to any other invalid one.
 */
export function compare(v: string, w: string): -1 | 0 | 1 {
  const pv = parse(v);
  const pw = parse(w);
  if (pv === undefined || pw === undefined) return pv === pw ? 0 : pv === undefined ? -1 : 1;
  return (
    compareDecimals(pv.major, pw.major) ||
    compareDecimals(pv.minor, pw.minor) ||
    compareDecimals(pv.patch, pw.patch) ||
    comparePrerelease(pv.prerelease, pw.prerelease)
  );
}

/** SemVer 2.0.0 clause 11: a release is above its prereleases, and of two equal beginnings the longer is higher. */
function comparePrerelease(x: string, y: string): -1 | 0 | 1 {
  if (x === y) return 0;
  if (x === "" || y === "") return x === "" ? 1 : -1;
  const xs = identifiers(x);
  const ys = identifiers(y);
  for (const [i, name] of xs.entries()) {
    const other = ys[i];
    if (other === undefined) return 1;
    if (name !== other) return compareIdentifier(name, other);
  }
  return -1;
}

/** Numbers are below names; numbers compare as numbers, names by their bytes. */
function compareIdentifier(x: string, y: string): -1 | 0 | 1 {
  const numeric = /^[0-9]+$/;
  const xIsNumber = numeric.test(x);
  if (xIsNumber !== numeric.test(y)) return xIsNumber ? -1 : 1;
  return xIsNumber ? compareDecimals(x, y) : compareStrings(x, y);
}

/** Returns the canonical form of the higher version; of two equal ones, of `w`. */
export function max(v: string, w: string): string {
  const cv = canonical(v);
  const cw = canonical(w);
  return compare(cv, cw) > 0 ? cv : cw;
}

/**
 * Returns a text for the version such that `<` of two texts is `compare` of their versions; for invalid ones it is empty.
 *
 * Numbers have their length in front of them and identifiers an end that is below all they may contain.
 */
export function sortKey(version: string): string {
  const parsed = parse(version);
  if (parsed === undefined) return "";
  const { major, minor, patch, prerelease } = parsed;
  return numberKey(major) + numberKey(minor) + numberKey(patch) + prereleaseKey(prerelease);
}

function numberKey(digits: string): string {
  const length = String(digits.length);
  return length.length + length + digits;
}

function prereleaseKey(prerelease: string): string {
  if (prerelease === "") return "~";
  return identifiers(prerelease)
    .map((name) => (/^[0-9]+$/.test(name) ? `0${numberKey(name)}!` : `1${name}!`))
    .join("");
}

/** Sorts the list in place by `compare`, breaking ties by byte order, and returns it. */
export function sort(list: string[]): string[] {
  for (const [i, version] of allAtOnce(sorted(list)).entries()) list[i] = version;
  return list;
}

/** The versions as `sort` has them, in a new array. */
export function* sorted(versions: readonly string[]): Steps<string[]> {
  const rows: string[] = [];
  for (const version of versions) {
    rows.push(`${sortKey(version)}\0${version}`);
    if (rows.length % stepsPerTurn === 0) yield;
  }
  const ordered: string[] = [];
  for (const row of yield* sortedStrings(rows)) {
    ordered.push(row.slice(row.indexOf("\0") + 1));
    if (ordered.length % stepsPerTurn === 0) yield;
  }
  return ordered;
}
