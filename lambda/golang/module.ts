// Port of golang.org/x/mod/module: which paths and versions there are, and how they are escaped so that they survive file
// systems and URLs without upper case. Pseudo-versions are in pseudo.ts.

import { CodedError } from "./coded-error.ts";
import { compareStrings } from "./encoding.ts";
import { matchPath } from "./path-match.ts";
import { quote } from "./quoted-string.ts";
import * as semver from "./semver.ts";
import { isLetter } from "./unicode.ts";

/** A module path and a version, both in plain (unescaped) form. */
export interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}

type PathKind = "module" | "import" | "file";

/** Codes of the errors thrown here. */
export type ModuleErrorCode =
  | "invalid-module-path"
  | "invalid-import-path"
  | "invalid-file-path"
  | "invalid-version"
  | "invalid-path-major";

/** Thrown with a message of one line that quotes at most 200 characters of what was wrong. */
export class ModuleError extends CodedError<ModuleErrorCode> {}

/**
 * Checks that the version is a semantic version that the module path may have: `example.com/m/v2` only v2.
 *
 * Throws `invalid-module-path` or `invalid-version`. The version need not be canonical.
 */
export function check(path: string, version: string): void {
  checkPath(path);
  if (!semver.isValid(version)) {
    throw new ModuleError("invalid-version", `${quote(version)} is not a semantic version`);
  }
  checkPathMajor(version, splitPathVersion(path).pathMajor);
}

/**
 * Checks that a module path is valid, or throws `invalid-module-path`.
 *
 * It is an import path whose elements do not start with a dot, whose first element is a lower-case domain name, and that
 * ends in a proper major version if it ends in one.
 */
export function checkPath(path: string): void {
  const wrong = faultOfPath(path, "module") ?? faultOfModulePath(path);
  if (wrong !== undefined) throw pathError("module", path, wrong);
}

/** Checks that a package import path is valid, or throws `invalid-import-path`. */
export function checkImportPath(path: string): void {
  const wrong = faultOfPath(path, "import");
  if (wrong !== undefined) throw pathError("import", path, wrong);
}

/**
 * Checks that a slash-separated file path is valid inside a module, or throws `invalid-file-path`.
 *
 * All letters of Unicode are fine there, and spaces and most ASCII punctuation; what Windows cannot store is not.
 */
export function checkFilePath(path: string): void {
  const wrong = faultOfPath(path, "file");
  if (wrong !== undefined) throw pathError("file", path, wrong);
}

function pathError(kind: PathKind, path: string, wrong: string): ModuleError {
  return new ModuleError(`invalid-${kind}-path`, `malformed ${kind} path ${quote(path)}: ${wrong}`);
}

function faultOfModulePath(path: string): string | undefined {
  const slash = path.indexOf("/");
  const domain = slash < 0 ? path : path.slice(0, slash);
  if (domain === "") return "leading slash";
  if (!domain.includes(".")) return "missing dot in first path element";
  if (!/^[-.0-9a-z]+$/.test(domain)) return "invalid character in first path element";
  if (!splitPathVersion(path).ok) return "invalid major version at the end";
  return undefined;
}

/** Most file paths: ASCII elements that do not end in a dot. One look at all of them is ten times as fast as many. */
const plainFilePath = /^(?:[-._~0-9A-Za-z+!#$%&(),=@[\]^{} ]*[-_~0-9A-Za-z+!#$%&(),=@[\]^{} ](?:\/(?!$)|$))+$/;
const windowsDeviceInPath = /(?:^|\/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|$)/i;

function faultOfPath(path: string, kind: PathKind): string | undefined {
  if (kind === "file" && plainFilePath.test(path) && !windowsDeviceInPath.test(path)) return undefined;
  if (!path.isWellFormed()) return "invalid UTF-8";
  if (path === "") return "empty string";
  if (path.startsWith("-") && kind !== "file") return "leading dash";
  if (path.includes("//")) return "double slash";
  if (path.endsWith("/")) return "trailing slash";
  for (const element of path.split("/")) {
    const wrong = faultOfElement(element, kind);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const allowedAscii: Readonly<Record<PathKind, RegExp>> = {
  module: /^[-._~0-9A-Za-z]$/,
  import: /^[-._~0-9A-Za-z+]$/,
  file: /^[-._~0-9A-Za-z+!#$%&(),=@[\]^{} ]$/,
};

function isAllowed(character: string, kind: PathKind): boolean {
  return allowedAscii[kind].test(character) || (kind === "file" && character > "\x7f" && isLetter(character));
}

/** Names that Windows keeps for devices, whatever follows the first dot. */
const windowsDevice = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;

function faultOfElement(element: string, kind: PathKind): string | undefined {
  if (element === "") return "empty path element";
  if (/^\.+$/.test(element)) return `invalid path element ${quote(element)}`;
  if (element.startsWith(".") && kind === "module") return "leading dot in path element";
  if (element.endsWith(".")) return "trailing dot in path element";
  for (const character of element) {
    if (!isAllowed(character, kind)) return `invalid character ${quote(character)}`;
  }
  const dot = element.indexOf(".");
  const short = dot < 0 ? element : element.slice(0, dot);
  if (windowsDevice.test(short)) return `${quote(short)} is a device name on Windows`;
  // The short names that Windows makes up (PROGRA~1) could name another module; a file in a zip cannot clash that way.
  const tilde = short.lastIndexOf("~");
  if (kind !== "file" && tilde >= 0 && /^[0-9]+$/.test(short.slice(tilde + 1))) return "trailing tilde and digits";
  return undefined;
}

/** The parts of a module path: `prefix + pathMajor` is the path. */
export interface PathVersion {
  readonly prefix: string;
  /** `"/v2"`, `".v1"` and `".v1-unstable"` for gopkg.in, or `""`. */
  readonly pathMajor: string;
  /** False where the end looks like a major version and is not a proper one: `/v0`, `/v1`, `/v02`, `/v1.2`. */
  readonly ok: boolean;
}

/** Splits the major version off a module path: `"example.com/m/v2"` into `"example.com/m"` and `"/v2"`. */
export function splitPathVersion(path: string): PathVersion {
  const none = { prefix: path, pathMajor: "" };
  if (path.startsWith("gopkg.in/")) return splitGopkgIn(path);
  const end = startOfTail(path, path.length, /[0-9.]/);
  if (end <= 1 || end === path.length || path.slice(end - 2, end) !== "/v") return { ...none, ok: true };
  const pathMajor = path.slice(end - 2);
  if (!/^\/v[1-9][0-9]*$/.test(pathMajor) || pathMajor === "/v1") return { ...none, ok: false };
  return { prefix: path.slice(0, end - 2), pathMajor, ok: true };
}

/** At gopkg.in every path ends in `.vN`, N ≥ 0, and `-unstable` may follow. */
function splitGopkgIn(path: string): PathVersion {
  const digitsEnd = path.endsWith("-unstable") ? path.length - "-unstable".length : path.length;
  const end = startOfTail(path, digitsEnd, /[0-9]/);
  const pathMajor = path.slice(end - 2);
  // The second zero rule is x/mod's: `.v0-unstable` is not `.v0`.
  const zero = pathMajor[2] === "0" && pathMajor !== ".v0";
  if (path.slice(end - 2, end) !== ".v" || pathMajor.length <= 2 || zero) {
    return { prefix: path, pathMajor: "", ok: false };
  }
  return { prefix: path.slice(0, end - 2), pathMajor, ok: true };
}

/** Where the run of characters in `set` starts that ends at `end`: a loop, because `[0-9]+$` searches quadratically. */
function startOfTail(text: string, end: number, set: RegExp): number {
  let start = end;
  while (start > 0 && set.test(text[start - 1] ?? "")) start--;
  return start;
}

/** Reports whether the version may follow a path that ends in `pathMajor`, as `splitPathVersion` returns it. */
export function matchPathMajor(version: string, pathMajor: string): boolean {
  const major = withoutUnstable(pathMajor);
  // gopkg.in once served pseudo-versions of .v1 as v0.0.0-, and go.mod files still name them.
  if (version.startsWith("v0.0.0-") && major === ".v1") return true;
  const versionMajor = semver.major(version);
  if (major === "") {
    return versionMajor === "v0" || versionMajor === "v1" || semver.build(version) === "+incompatible";
  }
  return /^[/.]/.test(major) && versionMajor === major.slice(1);
}

/** Checks `matchPathMajor`, or throws `invalid-version`. */
export function checkPathMajor(version: string, pathMajor: string): void {
  if (matchPathMajor(version, pathMajor)) return;
  const wanted = pathMajor === "" ? "v0 or v1" : withoutUnstable(pathMajor).replace(/^[/.]/, "");
  throw new ModuleError("invalid-version", `version ${quote(version)} should be ${wanted}`);
}

function withoutUnstable(pathMajor: string): string {
  return pathMajor.startsWith(".v") && pathMajor.endsWith("-unstable")
    ? pathMajor.slice(0, -"-unstable".length)
    : pathMajor;
}

/**
 * Returns the major version that tags of such a path start with: `"/v2"` gives `"v2"`, `""` gives `""` (v0 or v1).
 *
 * Throws `invalid-path-major` for what `splitPathVersion` does not return.
 */
export function pathMajorPrefix(pathMajor: string): string {
  if (pathMajor === "") return "";
  const prefix = withoutUnstable(pathMajor).slice(1);
  if (!/^[/.]/.test(pathMajor) || prefix !== semver.major(prefix)) {
    throw new ModuleError("invalid-path-major", `${quote(pathMajor)} is not the major version of a path`);
  }
  return prefix;
}

/** Returns the version in full, keeping `+incompatible` and no other build metadata; `""` if it is invalid. */
export function canonicalVersion(version: string): string {
  return semver.canonical(version) + (semver.build(version) === "+incompatible" ? "+incompatible" : "");
}

/**
 * Sorts the list in place by path, then by version, and returns it.
 *
 * A version may end in `/go.mod` as in go.sum: the part before the slash is compared as a version, the rest as text.
 */
export function sort<T extends ModuleVersion>(list: T[]): T[] {
  return list.sort((a, b) => compareStrings(a.path, b.path) || compareSumVersions(a.version, b.version));
}

function compareSumVersions(a: string, b: string): number {
  const [versionA, fileA] = splitAt(a, a.indexOf("/"));
  const [versionB, fileB] = splitAt(b, b.indexOf("/"));
  return versionA === versionB ? compareStrings(fileA, fileB) : semver.compare(versionA, versionB);
}

function splitAt(text: string, index: number): [head: string, tail: string] {
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index)];
}

/** Returns the path with `!` and the lower-case letter for each upper-case one, or throws `invalid-module-path`: `"github.com/Azure"` becomes `"github.com/!azure"`. */
export function escapePath(path: string): string {
  checkPath(path);
  return escapeUpperCase(path);
}

/** Returns the version escaped like a path, or throws `invalid-version`. It need not be a semantic version but must be an ASCII file name without `!`. */
export function escapeVersion(version: string): string {
  const wrong = faultOfVersion(version);
  if (wrong !== undefined) throw versionError(version, wrong);
  return escapeUpperCase(version);
}

function escapeUpperCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** Returns the module path that was escaped so, or throws `invalid-module-path`: upper case and a `!` before anything but a lower-case letter are refused. */
export function unescapePath(escaped: string): string {
  const path = unescapeUpperCase(escaped);
  if (path === undefined) throw pathError("module", escaped, "invalid escape");
  checkPath(path);
  return path;
}

/** Returns the version that was escaped so, or throws `invalid-version`. */
export function unescapeVersion(escaped: string): string {
  const version = unescapeUpperCase(escaped);
  if (version === undefined) throw versionError(escaped, "invalid escape");
  const wrong = faultOfVersion(version);
  if (wrong !== undefined) throw versionError(version, wrong);
  return version;
}

function unescapeUpperCase(escaped: string): string | undefined {
  const plain = escaped.replaceAll(/![a-z]/g, "");
  if (/[!A-Z\x80-\uffff]/.test(plain)) return undefined;
  return escaped.replaceAll(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A version is one file name; letters beyond ASCII are fine in file names but have no escape. */
function faultOfVersion(version: string): string | undefined {
  if (/[!\x80-\uffff]/.test(version)) return "invalid character";
  return faultOfElement(version, "file");
}

function versionError(version: string, wrong: string): ModuleError {
  return new ModuleError("invalid-version", `malformed version ${quote(version)}: ${wrong}`);
}

/**
 * Reports whether a prefix of the path (whole elements) matches one of the comma-separated globs: how Go reads GOPRIVATE.
 *
 * Each glob is matched against as many elements as it has; empty and malformed ones are ignored.
 */
export function matchPrefixPatterns(globs: string, target: string): boolean {
  return globs.split(",").some((pattern) => {
    const glob = pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
    if (glob === "") return false;
    const prefix = leadingElements(target, glob.split("/").length);
    return prefix !== undefined && matchPath(glob, prefix).matched;
  });
}

function leadingElements(target: string, count: number): string | undefined {
  let end = -1;
  for (let i = 0; i < count; i++) {
    if (end === target.length) return undefined;
    const slash = target.indexOf("/", end + 1);
    end = slash < 0 ? target.length : slash;
  }
  return target.slice(0, end);
}
