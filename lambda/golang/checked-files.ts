// The report of golang.org/x/mod/zip on a set of files, and what its checks share.

import { CodedError } from "./coded-error.ts";
import { canonicalVersion, check, type ModuleVersion } from "./module.ts";

/** The most bytes of a module zip, and of what it unpacks to. */
export const maxZipFile = 500 << 20;
/** The most bytes of a go.mod file at the root. */
export const maxGoMod = 16 << 20;
/** The most bytes of a LICENSE file at the root. */
export const maxLicense = 16 << 20;

/** Why a file is left out of a module zip. */
export type OmittedCode = "vendored" | "in-other-module" | "hg-archival" | "symlink" | "not-regular";

/** Why a file may not be in a module zip. */
export type InvalidCode =
  | "wrong-prefix"
  | "path-not-clean"
  | "path-not-relative"
  | "invalid-file-path"
  | "name-collision"
  | "file-and-directory"
  | "duplicate-file"
  | "go-mod-not-at-root"
  | "go-mod-case"
  | "go-mod-too-large"
  | "license-too-large"
  | "unreadable";

/** One file and what was found about it. Data, not an error: a hostile zip has a hundred thousand of them. */
export interface FileError<Code extends string = OmittedCode | InvalidCode> {
  readonly path: string;
  readonly code: Code;
  readonly message: string;
}

/** Port of zip.CheckedFiles: every file is in one of the three lists. */
export interface CheckedFiles {
  readonly valid: readonly string[];
  readonly omitted: readonly FileError<OmittedCode>[];
  readonly invalid: readonly FileError<InvalidCode>[];
  /** Set when the zip or all valid files together are larger than 500 MiB. */
  readonly sizeError: CheckedFilesError | undefined;
}

/** Thrown for files that make no module zip; `checked` is the whole report, as Go returns it beside the error. */
export class CheckedFilesError extends CodedError<"invalid-files" | "zip-too-large"> {
  readonly checked: CheckedFiles;

  constructor(code: "invalid-files" | "zip-too-large", message: string, checked: CheckedFiles) {
    super(code, message);
    this.checked = checked;
  }
}

/** Collects a report. */
export class Report {
  readonly valid: string[] = [];
  readonly omitted: FileError<OmittedCode>[] = [];
  readonly invalid: FileError<InvalidCode>[] = [];
  sizeError: CheckedFilesError | undefined;
  #remaining = maxZipFile;

  /** Counts a file's size against the limit. A file that goes over it is not counted, like in Go. */
  addSize(size: number): void {
    if (size >= 0 && size <= this.#remaining) this.#remaining -= size;
    else this.refuseSize(`the files of the module are larger than ${maxZipFile} bytes`);
  }

  refuseSize(message: string): void {
    this.sizeError ??= new CheckedFilesError("zip-too-large", message, this);
  }

  /** Returns the report, or throws it as `CheckedFilesError` when the files make no module zip. */
  result(): CheckedFiles {
    if (this.sizeError !== undefined) throw this.sizeError;
    if (this.invalid.length > 0) throw new CheckedFilesError("invalid-files", describe(this.invalid), this);
    return this;
  }
}

/** A line for each file, but no more than a person reads. */
function describe(files: readonly FileError[]): string {
  const shown = files.slice(0, 5).map((file) => `${JSON.stringify(file.path.slice(0, 200))}: ${file.message}`);
  if (files.length > shown.length) shown.push(`and ${files.length - shown.length} more`);
  return shown.join("\n");
}

/** Thrown for a version that is valid and not in canonical form. */
export class VersionNotCanonicalError extends CodedError<"version-not-canonical"> {}

/** Returns the prefix of all names in the module's zip, or throws when there can be no zip of such a module. */
export function zipPrefix({ path, version }: ModuleVersion): string {
  if (canonicalVersion(version) !== version) {
    throw new VersionNotCanonicalError("version-not-canonical", "the version is not canonical");
  }
  check(path, version);
  return `${path}@${version}/`;
}

/** Reports whether Go's `path.Clean` returns the path as it is. */
export function isClean(path: string): boolean {
  if (path === "." || path === "/") return true;
  // Most paths have no empty and no dot element at all.
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return true;
  const rooted = path.startsWith("/");
  let mayGoUp = !rooted;
  for (const element of path.slice(rooted ? 1 : 0).split("/")) {
    if (element === "" || element === "." || (element === ".." && !mayGoUp)) return false;
    if (element !== "..") mayGoUp = false;
  }
  return true;
}
