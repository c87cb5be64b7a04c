// Port of golang.org/x/mod/modfile as far as a proxy reads go.mod files: ModulePath and ParseLax.

import { CodedError } from "./coded-error.ts";
import { type Block, type Comments, type Line, parseSyntax } from "./modfile-syntax.ts";
import { canonicalVersion, type ModuleVersion, matchPathMajor, splitPathVersion } from "./module.ts";
import { unquote } from "./quoted-string.ts";
import { allAtOnce, type Steps } from "./steps.ts";
import { firstField, trimSpace } from "./unicode.ts";

/** What a go.mod file says; versions but those of `retract` are canonical, lists in the order of the file. */
export interface ModFile {
  readonly module: Module | undefined;
  /** `"1.26.0"`. */
  readonly go: string | undefined;
  /** `"go1.26.8"` or `"default"`. */
  readonly toolchain: string | undefined;
  readonly require: readonly Requirement[];
  readonly replace: readonly Replacement[];
  readonly exclude: readonly ModuleVersion[];
  readonly retract: readonly Retraction[];
}

export interface Module {
  readonly path: string;
  /** The text after `Deprecated:` in the comments of the module line, or empty. */
  readonly deprecated: string;
}

export interface Requirement extends ModuleVersion {
  /** Marked `// indirect`. */
  readonly indirect: boolean;
}

/** `old.version` is empty when every version is replaced; `new.version` is empty when `new.path` is a directory. */
export interface Replacement {
  readonly old: ModuleVersion;
  readonly new: ModuleVersion;
}

/**
 * A closed range of retracted versions; of a single one, `low` is `high`.
 *
 * They are as written: compare them as versions (`v1` is `v1.0.0`, and what is no version is below all that are).
 */
export interface Retraction {
  readonly low: string;
  readonly high: string;
  /** The comments of the line, else of its block, or empty. */
  readonly rationale: string;
}

/** Thrown with `invalid-go-mod` and a message that starts with the file's name and the line's number. */
export class ModFileError extends CodedError<"invalid-go-mod"> {}

/** Go's strings are bytes; here text that is not UTF-8 reads as U+FFFD, which no path or version may contain. */
function decode(text: string | Uint8Array): string {
  if (typeof text === "string") return text.toWellFormed();
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8");
}

/** Bytes or characters in front of the end of a module statement: no honest file has so many, and x/mod has no limit. */
const statementWithin = 1024 * 1024;

/**
 * Returns the module path in the text of a go.mod file, or `""` if there is none in its first MiB.
 *
 * It looks at nothing else in the file, and at the path neither: check it. x/mod's ModulePath.
 */
export function modulePath(text: string | Uint8Array): string {
  const mod = wholeLines(text);
  for (let at = mod.indexOf("module"); at >= 0; ) {
    const newline = mod.indexOf("\n", at);
    const end = newline < 0 ? mod.length : newline;
    const argument = moduleArgument(mod.slice(mod.lastIndexOf("\n", at) + 1, end));
    if (argument !== undefined) return /^["`]/.test(argument) ? (unquote(argument) ?? "") : argument;
    at = mod.indexOf("module", end);
  }
  return "";
}

/** What may have the module statement in it, without the line that the limit cuts. */
function wholeLines(text: string | Uint8Array): string {
  if (text.length <= statementWithin) return decode(text);
  const start = decode(typeof text === "string" ? text.slice(0, statementWithin) : text.subarray(0, statementWithin));
  return start.slice(0, start.lastIndexOf("\n") + 1);
}

function moduleArgument(line: string): string | undefined {
  const comment = line.indexOf("//");
  const statement = trimSpace(comment < 0 ? line : line.slice(0, comment));
  if (!statement.startsWith("module")) return undefined;
  const rest = statement.slice("module".length);
  const argument = trimSpace(rest);
  return argument === "" || argument === rest ? undefined : argument;
}

/** Thrown away or thrown, as the directive has it. */
interface Fault {
  readonly wrong: string;
}

/**
 * Returns what a go.mod file says, or throws `invalid-go-mod`; `file` is its name in messages.
 *
 * As lenient as x/mod's ParseLax, which reads the go.mod files of dependencies: unknown directives and malformed
 * retractions are ignored. ParseLax also ignores toolchain, replace and exclude; here they are returned where x/mod's strict
 * Parse would accept the line, and else ignored.
 */
export function parseLax(text: string | Uint8Array, options: { readonly file?: string } = {}): ModFile {
  return allAtOnce(parseLaxSteps(text, options));
}

/** `parseLax` in steps, for go.mod files that nobody vouches for. */
export function* parseLaxSteps(text: string | Uint8Array, options: { readonly file?: string } = {}): Steps<ModFile> {
  const lists = { require: [], replace: [], exclude: [], retract: [] };
  const draft: Draft = { module: undefined, go: undefined, toolchain: undefined, ...lists };
  yield* readInto(draft, text, options.file);
  return { ...draft, ...lists };
}

/**
 * Returns the version in the go line as `parseLax` would, and throws what it throws, without keeping anything else: what a
 * hostile file says a million times is in no array.
 */
export function goVersionLax(text: string | Uint8Array): string | undefined {
  const nowhere = { push: () => 0 };
  const lists = { require: nowhere, replace: nowhere, exclude: nowhere, retract: nowhere };
  const draft: Draft = { module: undefined, go: undefined, toolchain: undefined, ...lists };
  allAtOnce(readInto(draft, text));
  return draft.go;
}

function* readInto(draft: Draft, text: string | Uint8Array, file = "go.mod"): Steps<void> {
  const fail = (line: number, wrong: string): never => {
    throw new ModFileError("invalid-go-mod", `${file}:${line}: ${wrong}`);
  };
  const visit = (line: Line) => {
    const fault = addLine(draft, line);
    if (fault !== undefined) fail(line.line, fault.wrong);
  };
  yield* parseSyntax(decode(text), visit, (fault) => fail(fault.line, fault.wrong));
}

type Sink<T> = Pick<T[], "push">;

interface Draft {
  module: Module | undefined;
  go: string | undefined;
  toolchain: string | undefined;
  readonly require: Sink<Requirement>;
  readonly replace: Sink<Replacement>;
  readonly exclude: Sink<ModuleVersion>;
  readonly retract: Sink<Retraction>;
}

/** Adds what an argument list says and returns what is wrong with it, if the file is to be refused for that. */
type Directive = (draft: Draft, args: readonly string[], line: Line) => Fault | undefined;

const directives: ReadonlyMap<string, Directive> = new Map<string, Directive>([
  ["module", addModule],
  ["go", addGo],
  ["toolchain", addToolchain],
  ["require", addRequire],
  ["replace", addReplace],
  ["exclude", addExclude],
  ["retract", addRetract],
  ["ignore", checkIgnore],
]);

const notInBlocks: ReadonlySet<string> = new Set(["go", "toolchain"]);

function addLine(draft: Draft, line: Line): Fault | undefined {
  if (line.block !== undefined) {
    const [verb = "", ...more] = line.block.tokens;
    if (more.length > 0 || notInBlocks.has(verb)) return undefined;
    return directives.get(verb)?.(draft, line.tokens, line);
  }
  return directives.get(line.tokens[0] ?? "")?.(draft, line.tokens.slice(1), line);
}

function addModule(draft: Draft, args: readonly string[], line: Line): Fault | undefined {
  if (draft.module !== undefined) return { wrong: "repeated module statement" };
  const path = args.length === 1 ? parseString(args[0]) : undefined;
  if (path === undefined) return { wrong: "usage: module module/path" };
  draft.module = { path, deprecated: deprecation(directiveComment(line)) };
  return undefined;
}

const goVersion = /^[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:[a-z]+[0-9]+)?$/;
/** What a later Go may write: `1.30-custom` is read as `1.30`. */
const laterGoVersion = /^v?([1-9][0-9]*\.(?:0|[1-9][0-9]*))[^0-9]/;

function addGo(draft: Draft, args: readonly string[]): Fault | undefined {
  if (draft.go !== undefined) return { wrong: "repeated go statement" };
  const [version = ""] = args;
  if (args.length !== 1) return { wrong: "usage: go 1.23.0" };
  draft.go = goVersion.test(version) ? version : laterGoVersion.exec(version)?.[1];
  return draft.go === undefined ? { wrong: "invalid go version: must match format 1.23.0" } : undefined;
}

function addToolchain(draft: Draft, args: readonly string[]): undefined {
  const [name = ""] = args;
  if (args.length === 1 && /^(?:default$|go1(?:$|\.))/.test(name)) draft.toolchain ??= name;
}

function addRequire(draft: Draft, args: readonly string[], line: Line): Fault | undefined {
  const required = parseModuleVersion(args);
  if (isFault(required)) return required;
  draft.require.push({ ...required, indirect: isIndirect(line.comments) });
  return undefined;
}

function addExclude(draft: Draft, args: readonly string[]): undefined {
  const excluded = parseModuleVersion(args);
  if (!isFault(excluded)) draft.exclude.push(excluded);
}

/** Main modules list folders to leave out; x/mod checks the line even in dependencies. */
function checkIgnore(_: Draft, args: readonly string[]): Fault | undefined {
  return args.length === 1 && parseString(args[0]) !== undefined ? undefined : { wrong: "usage: ignore ./path" };
}

function isFault(value: object): value is Fault {
  return "wrong" in value;
}

/** Reads `path version` where the version fits the path. */
function parseModuleVersion(args: readonly string[]): ModuleVersion | Fault {
  if (args.length !== 2) return { wrong: "usage: module/path v1.2.3" };
  const path = parseString(args[0]);
  if (path === undefined) return { wrong: "invalid quoted string" };
  const version = parseVersion(args[1]);
  if (version === undefined) return { wrong: "invalid version: must be of the form v1.2.3" };
  const { pathMajor, ok } = splitPathVersion(path);
  if (!ok) return { wrong: "invalid module path" };
  if (!matchPathMajor(version, pathMajor)) return { wrong: "the version does not fit the major version of the path" };
  return { path, version };
}

function addReplace(draft: Draft, args: readonly string[]): undefined {
  const arrow = args[1] === "=>" ? 1 : 2;
  if (args[arrow] !== "=>") return;
  const replaced = arrow === 2 ? parseModuleVersion(args.slice(0, 2)) : parseUnversioned(args[0]);
  const replacement = parseReplacement(args.slice(arrow + 1));
  if (isFault(replaced) || replacement === undefined) return;
  draft.replace.push({ old: replaced, new: replacement });
}

function parseUnversioned(token: string | undefined): ModuleVersion | Fault {
  const path = parseString(token);
  return path !== undefined && splitPathVersion(path).ok ? { path, version: "" } : { wrong: "invalid module path" };
}

/** Either a module path and a version, which need not fit each other, or a directory. */
function parseReplacement(args: readonly string[]): ModuleVersion | undefined {
  const path = parseString(args[0]);
  if (path === undefined || args.length > 2) return undefined;
  if (args.length === 1) return isDirectoryPath(path) && !path.includes("\\") ? { path, version: "" } : undefined;
  const version = parseVersion(args[1]);
  return version === undefined || isDirectoryPath(path) ? undefined : { path, version };
}

/** Directories start with a slash, `.` or `..`, or are what Windows takes for one; all else is a module path. */
function isDirectoryPath(path: string): boolean {
  return /^(?:\.{1,2}(?:[/\\]|$)|[/\\]|[A-Za-z]:)/.test(path);
}

/** A form of retraction that a later Go may have is not for us, and no reason to refuse the module. */
function addRetract(draft: Draft, args: readonly string[], line: Line): undefined {
  const range = parseVersionInterval(args);
  if (range !== undefined) draft.retract.push({ ...range, rationale: directiveComment(line) });
}

function parseVersionInterval(args: readonly string[]): Pick<Retraction, "low" | "high"> | undefined {
  const [first, from, comma, to, close] = args;
  if (first === "(") return undefined;
  const single = first !== "[";
  const low = parseString(single ? first : from);
  const high = single ? low : parseString(to);
  if (low === undefined || high === undefined) return undefined;
  return single || (comma === "," && close === "]") ? { low, high } : undefined;
}

/** Returns the string a token stands for; quotes anywhere but around it are refused, as are backquotes. */
function parseString(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  if (token.startsWith('"')) return unquote(token);
  return /["'`]/.test(token) ? undefined : token;
}

function parseVersion(token: string | undefined): string | undefined {
  const version = parseString(token);
  return version === undefined ? undefined : canonicalVersion(version) || undefined;
}

function isIndirect(comments: Comments): boolean {
  const { first, more } = firstField(withoutSlashes(comments.suffix[0] ?? ""));
  return first === (more ? "indirect;" : "indirect");
}

function withoutSlashes(comment: string): string {
  return comment.startsWith("//") ? comment.slice(2) : comment;
}

function directiveComment({ block, comments }: Line): string {
  if (block === undefined || comments.before.length > 0 || comments.suffix.length > 0) return textOf(comments);
  const text = blockTexts.get(block) ?? textOf(block.comments);
  blockTexts.set(block, text);
  return text;
}

/** Each line without comments has its block's, so joining them for each would be quadratic. */
const blockTexts = new WeakMap<Block, string>();

function textOf({ before, suffix }: Comments): string {
  const written = [...before, ...suffix].filter((comment) => comment.startsWith("//"));
  return written.map((comment) => trimSpace(withoutSlashes(comment))).join("\n");
}

/** Returns the first paragraph that starts with `Deprecated:`, without that and the spaces after it. */
function deprecation(comment: string): string {
  const mark = "Deprecated:";
  const start = comment.startsWith(mark) ? 0 : comment.indexOf(`\n\n${mark}`) + 2;
  if (start === 1) return "";
  const end = comment.indexOf("\n\n", start);
  return comment.slice(start + mark.length, end < 0 ? comment.length : end).replace(/^ +/, "");
}
