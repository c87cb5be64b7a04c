// Port of golang.org/x/mod/zip: which zips hold a module, which files a module consists of, and how to make its zip.

import { Readable } from "node:stream";
import {
  type CheckedFiles,
  type InvalidCode,
  isClean,
  maxGoMod,
  maxLicense,
  maxZipFile,
  type OmittedCode,
  Report,
  zipPrefix,
} from "./checked-files.ts";
import { CodedError, isCodedError } from "./coded-error.ts";
import { openZip } from "./dirhash.ts";
import type { FileWindow } from "./file-window.ts";
import { goVersionLax } from "./modfile.ts";
import { checkFilePath, type ModuleVersion } from "./module.ts";
import { NameCollisions } from "./name-collisions.ts";
import { readDirectory, type ZipEntry } from "./zip-directory.ts";
import { writeZip, type ZipSource } from "./zip-writer.ts";

/**
 * Checks a zip on disk against the rules for the zip of a module version, and returns the report on its files.
 *
 * Throws `CheckedFilesError` (with the report) when it breaks them, `ZipError` when Go cannot read its directory, and
 * `ModuleError` or `VersionNotCanonicalError` for a version that can have no zip. Contents are not read: `inspectZip`
 * does that too. Port of zip.CheckZip.
 */
export async function checkZip(module: ModuleVersion, path: string): Promise<CheckedFiles> {
  const file = openZip(path);
  try {
    return checkOpenZip(module, file).checked;
  } finally {
    file.close();
  }
}

/** The same for an open zip, with its entries so that the directory is read once. */
export function checkOpenZip(
  module: ModuleVersion,
  file: FileWindow,
): { readonly checked: CheckedFiles; readonly entries: readonly ZipEntry[] } {
  const prefix = zipPrefix(module);
  const report = new Report();
  if (file.size > maxZipFile) {
    report.refuseSize(`the zip has ${file.size} bytes and may have ${maxZipFile}`);
    report.result();
  }
  const entries = readDirectory(file);
  const collisions = new NameCollisions();
  for (const entry of entries) checkEntry(entry, prefix, collisions, report);
  return { checked: report.result(), entries };
}

function checkEntry(entry: ZipEntry, prefix: string, collisions: NameCollisions, report: Report): void {
  if (entry.name === prefix) return;
  const path = decodeName(entry.name);
  const wrong = faultOfEntry(entry, path, prefix, collisions);
  if (wrong !== undefined) {
    report.invalid.push({ path, ...wrong });
    return;
  }
  if (path.endsWith("/")) return;
  report.addSize(entry.uncompressedSize);
  const large = faultOfSize(path.slice(prefix.length), entry.uncompressedSize);
  if (large === undefined) report.valid.push(path);
  else report.invalid.push({ path, ...large });
}

interface Fault<Code> {
  readonly code: Code;
  readonly message: string;
}

function fault<Code extends string>(code: Code, message: string): Fault<Code> {
  return { code, message };
}

function faultOfEntry(
  entry: ZipEntry,
  path: string,
  prefix: string,
  collisions: NameCollisions,
): Fault<InvalidCode> | undefined {
  if (!entry.name.startsWith(prefix)) return fault("wrong-prefix", `not under ${prefix}`);
  const isDirectory = path.endsWith("/");
  const name = path.slice(prefix.length, isDirectory ? -1 : undefined);
  if (!isClean(name)) return fault("path-not-clean", "not a clean path");
  if (!isUtf8Name(entry.name, path)) return fault("invalid-file-path", "the name is not UTF-8");
  const wrong = faultOfPath(name) ?? collisions.check(name, isDirectory);
  if (wrong !== undefined || isDirectory || !/(?:^|\/)go\.mod$/i.test(name)) return wrong;
  if (name.includes("/")) return fault("go-mod-not-at-root", "a go.mod file that is not at the root of the module");
  return name === "go.mod" ? undefined : fault("go-mod-case", "go.mod in lower case is the only spelling");
}

function faultOfPath(name: string): Fault<InvalidCode> | undefined {
  try {
    checkFilePath(name);
    return undefined;
  } catch (error) {
    if (!isCodedError(error, "invalid-file-path")) throw error;
    return fault("invalid-file-path", error.message);
  }
}

function faultOfSize(name: string, size: number): Fault<InvalidCode> | undefined {
  if (name === "go.mod" && size > maxGoMod) return fault("go-mod-too-large", `larger than ${maxGoMod} bytes`);
  if (name === "LICENSE" && size > maxLicense) return fault("license-too-large", `larger than ${maxLicense} bytes`);
  return undefined;
}

/** The text of a name that has a character for each byte; bytes that are not UTF-8 become U+FFFD. */
function decodeName(name: string): string {
  return isAscii(name) ? name : Buffer.from(name, "latin1").toString();
}

function isUtf8Name(name: string, decoded: string): boolean {
  return isAscii(name) || Buffer.from(decoded).toString("latin1") === name;
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

/** What is asked about a file before it is opened; a `Stats` of node:fs fits. */
export interface FileInfo {
  readonly size: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** A file that may go into a module zip: from a directory, a commit, another zip. Port of zip.File. */
export interface ModuleFile {
  /** Clean, relative to the module's root, with slashes. */
  readonly path: string;
  /** Says what the file is, not following symbolic links. */
  lstat(): FileInfo | Promise<FileInfo>;
  /** Opens a regular file for reading. */
  open(): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Checks which of the files belong into the zip of a module, and returns the report on them.
 *
 * Omitted are files of nested modules and of vendored packages, symbolic links and other irregular files. Opens none but
 * the root go.mod. Throws `CheckedFilesError` (with the report) when a file makes a zip impossible. Port of
 * zip.CheckFiles.
 */
export async function checkFiles(files: Iterable<ModuleFile>): Promise<CheckedFiles> {
  return (await selectFiles(files)).checked;
}

/** `sizes` has that of each file in the order of the files; `undefined` of one that is not selected. */
async function selectFiles(
  files: Iterable<ModuleFile>,
): Promise<{ readonly checked: CheckedFiles; readonly sizes: readonly (number | undefined)[] }> {
  const report = new FilesReport();
  const layout = await readLayout(files, report);
  const collisions = new NameCollisions();
  const sizes: (number | undefined)[] = [];
  for (const file of files) sizes.push(await checkFile(file, layout, collisions, report));
  return { checked: report.result(), sizes };
}

/** Only the first fault of a path is kept. */
class FilesReport extends Report {
  readonly #reported = new Set<string>();

  omit(path: string, { code, message }: Fault<OmittedCode>): undefined {
    if (this.#isNew(path)) this.omitted.push({ path, code, message });
  }

  refuse(path: string, { code, message }: Fault<InvalidCode>): undefined {
    if (this.#isNew(path)) this.invalid.push({ path, code, message });
  }

  #isNew(path: string): boolean {
    return this.#reported.size < this.#reported.add(path).size;
  }
}

/** What the go.mod files among the files say: the directories (with a slash) that have one, and the root's go version. */
interface Layout {
  readonly modules: ReadonlySet<string>;
  readonly since124: boolean;
}

async function readLayout(files: Iterable<ModuleFile>, report: FilesReport): Promise<Layout> {
  const modules = new Set<string>();
  let since124 = false;
  for (const file of files) {
    const base = file.path.lastIndexOf("/") + 1;
    if (file.path.slice(base).toLowerCase() !== "go.mod") continue;
    const info = await lstat(file);
    if (info === undefined) report.refuse(file.path, unreadable);
    if (!info?.isFile()) continue;
    modules.add(file.path.slice(0, base));
    if (file.path === "go.mod") since124 = isGo124(await readGoMod(file));
  }
  return { modules, since124 };
}

const unreadable = fault("unreadable", "cannot be read");

async function lstat(file: ModuleFile): Promise<FileInfo | undefined> {
  try {
    return await file.lstat();
  } catch {
    return undefined;
  }
}

/** The text of a go.mod file, or nothing when it cannot be read: then it names no version. */
async function readGoMod(file: ModuleFile): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of await file.open()) {
      size += piece.length;
      if (size > maxGoMod) return new Uint8Array();
      pieces.push(piece);
    }
  } catch {
    return new Uint8Array();
  }
  return Buffer.concat(pieces);
}

/** From go 1.24 on (in the go line of the module) vendored packages are told apart better; hashes depend on it. */
function isGo124(goMod: Uint8Array): boolean {
  const parts = /^([0-9]+)\.([0-9]+)(?:\.[0-9]+|[a-z]+[0-9]+)?$/.exec(goVersion(goMod));
  const [, major = "0", minor = "0"] = parts ?? [];
  // Digits without end are a large number at once, where a BigInt of them takes its time.
  return Number(major) > 1 || (major === "1" && Number(minor) >= 24);
}

/** The version in the go line, or `""` when there is none or the file is broken. */
function goVersion(goMod: Uint8Array): string {
  try {
    return goVersionLax(goMod) ?? "";
  } catch (error) {
    if (!isCodedError(error, "invalid-go-mod")) throw error;
    return "";
  }
}

async function checkFile(
  file: ModuleFile,
  layout: Layout,
  collisions: NameCollisions,
  report: FilesReport,
): Promise<number | undefined> {
  const { path } = file;
  if (!isClean(path)) return report.refuse(path, fault("path-not-clean", "not a clean path"));
  if (path.startsWith("/")) return report.refuse(path, fault("path-not-relative", "not a relative path"));
  const left = faultOfPlace(path, layout);
  if (left !== undefined) return report.omit(path, left);
  const wrong = faultOfPath(path);
  if (wrong !== undefined) return report.refuse(path, wrong);
  if (path !== "go.mod" && path.toLowerCase() === "go.mod") {
    return report.refuse(path, fault("go-mod-case", "go.mod in lower case is the only spelling"));
  }
  const info = await lstat(file);
  if (info === undefined) return report.refuse(path, unreadable);
  const collision = collisions.check(path, info.isDirectory());
  if (collision !== undefined) return report.refuse(path, collision);
  if (info.isSymbolicLink()) return report.omit(path, fault("symlink", "a symbolic link"));
  if (!info.isFile()) return report.omit(path, fault("not-regular", "not a regular file"));
  report.addSize(info.size);
  const large = faultOfSize(path, info.size);
  if (large !== undefined) return report.refuse(path, large);
  report.valid.push(path);
  return info.size;
}

function faultOfPlace(path: string, layout: Layout): Fault<OmittedCode> | undefined {
  if (isVendoredPackage(path, layout.since124)) return fault("vendored", "in a vendor directory");
  if (inSubmodule(path, layout.modules)) return fault("in-other-module", "in another module");
  if (path === ".hg_archival.txt") return fault("hg-archival", "added by hg archive, never part of a module");
  return undefined;
}

function inSubmodule(path: string, modules: ReadonlySet<string>): boolean {
  for (let slash = path.lastIndexOf("/"); slash >= 0; slash = path.lastIndexOf("/", slash - 1)) {
    if (modules.has(path.slice(0, slash + 1))) return true;
    if (slash === 0) return false;
  }
  return false;
}

/**
 * Reports whether a file lies in a package whose import path has the element "vendor" before its last.
 *
 * Before go 1.24 the position was miscounted for a vendor directory that is not at the root (golang.org/issue/37397), and
 * vendor/modules.txt was part of the module: kept as it was, since published hashes depend on it.
 */
function isVendoredPackage(path: string, since124: boolean): boolean {
  if (since124 && path === "vendor/modules.txt") return true;
  if (path.startsWith("vendor/")) return path.includes("/", "vendor/".length);
  const nested = path.indexOf("/vendor/");
  if (nested < 0) return false;
  return path.includes("/", (since124 ? nested : 0) + "/vendor/".length);
}

/** Thrown into the stream of `create` when a file turns out larger than it said. */
export class FileGrewError extends CodedError<"file-grew"> {}

/**
 * Returns the zip of a module version as a stream, made of those files that `checkFiles` finds valid, in the order given.
 *
 * The same files give the same bytes: times and modes are fixed. `files` is gone through several times and has to give the
 * same ones each time; what does not have them all at once saves the memory for very many. Throws what `checkFiles` throws, and `ModuleError` or
 * `VersionNotCanonicalError`; the stream fails with `file-grew` or with what reading a file failed with. Port of
 * zip.Create.
 */
export async function create(module: ModuleVersion, files: Iterable<ModuleFile>): Promise<Readable> {
  const prefix = zipPrefix(module);
  const { sizes } = await selectFiles(files);
  return Readable.from(writeZip(sourcesOf(files, sizes, prefix)), { objectMode: false, highWaterMark: 1 << 20 });
}

function* sourcesOf(
  files: Iterable<ModuleFile>,
  sizes: readonly (number | undefined)[],
  prefix: string,
): Generator<ZipSource> {
  let i = 0;
  for (const file of files) {
    const size = sizes[i++];
    if (size !== undefined) yield { name: prefix + file.path, size, open: () => limited(file, size) };
  }
}

async function* limited(file: ModuleFile, size: number): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const piece of await file.open()) {
    read += piece.length;
    if (read > size) {
      throw new FileGrewError("file-grew", `${JSON.stringify(file.path)} is larger than its declared size`);
    }
    yield piece;
  }
}
