import { canonicalVersion, escapeVersion, matchPathMajor, splitPathVersion } from "../../golang/module.ts";
import { isPseudoVersion, pseudoVersionTime } from "../../golang/pseudo.ts";
import { compare, sorted } from "../../golang/semver.ts";
import { type Steps, stepsPerTurn } from "../../golang/steps.ts";
import { longestVersion } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";

/** No honest list is longer (in bytes): 10,000 versions take a tenth of it, and the module that has most has fewer. */
export const listLimit = 1024 * 1024;

/** The versions of a module: what `@v/list` shows, and the newest pseudo-version, which only `@latest` may use. */
export interface VersionList {
  /** Canonical, in semver order, without duplicates and pseudo-versions. */
  readonly tagged: readonly string[];
  readonly newestPseudo: string | undefined;
  /** The highest version that the policy lets nobody name: where there is one, nothing left does not mean nothing there. */
  readonly hidden?: string | undefined;
}

/**
 * Reads the text of an upstream's `@v/list` for the module `path`.
 *
 * Like `go`, takes the first word of each line; leaves out what is not a canonical version of the path's major, or too long
 * for the name of a file. A list of tags that are all of that kind is empty. Throws `ServedError` "upstream-failed" for text
 * that is no list: a login page is not a module without versions.
 */
export function* parseList(path: string, text: string): Steps<VersionList> {
  const lines = new ListLines(path);
  const versions: string[] = [];
  for (let start = 0, count = 1; start < text.length; count++) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const version = lines.read(text.slice(start, end).trim());
    if (version !== undefined) versions.push(version);
    if (count % stepsPerTurn === 0) yield;
    start = end + 1;
  }
  if (versions.length === 0 && !lines.areTags)
    throw new ServedError("upstream-failed", "its version list has no version in it");
  return yield* versionList(versions);
}

/** A tag as repositories have them, and the time that some proxies put behind it. */
const tagLine = /^[0-9A-Za-z][-0-9A-Za-z._+/]*(?:\s+\d{4}-\d\d-\d\dT\S+)?$/;
/** Somebody's version: `1.0.0` is one, the `404` of an error page is not. */
const foreignVersion = /^(?:v\d|\d+\.\d)/;

/** Tells the versions of one module from everything else that may stand on a line. */
class ListLines {
  readonly #pathMajor: string;
  readonly #longest: number;
  #lines = 0;
  #tags = 0;
  #foreign = 0;

  constructor(path: string) {
    this.#pathMajor = splitPathVersion(path).pathMajor;
    this.#longest = longestVersion(path);
  }

  /** True when what was read could be the tags of a repository that has no version of the module, or nothing at all. */
  get areTags(): boolean {
    return this.#tags === this.#lines && (this.#lines === 0 || this.#foreign > 0);
  }

  /** The version on a line without space around it, if the module can have it. */
  read(line: string): string | undefined {
    if (line === "") return undefined;
    this.#lines++;
    const [word = ""] = /^\S+/.exec(line) ?? [];
    if (this.#isVersion(word)) return word;
    if (tagLine.test(line)) this.#tags++;
    if (foreignVersion.test(word)) this.#foreign++;
    return undefined;
  }

  /** `isVersionOf` for one path and many words: the path is checked and taken apart once, not once a line. */
  #isVersion(word: string): boolean {
    if (word.length > this.#longest || canonicalVersion(word) !== word) return false;
    if (/[A-Z]/.test(word) && escapeVersion(word).length > this.#longest) return false;
    return matchPathMajor(word, this.#pathMajor);
  }
}

/** Sorts canonical versions of one module into a list. */
export function* versionList(versions: Iterable<string>): Steps<VersionList> {
  const tagged = new Set<string>();
  let newestPseudo: string | undefined;
  let count = 0;
  for (const version of versions) {
    if (isPseudoVersion(version)) newestPseudo = newerPseudo(newestPseudo, version);
    else tagged.add(version);
    if (++count % stepsPerTurn === 0) yield;
  }
  return { tagged: yield* sorted([...tagged]), newestPseudo };
}

/** By commit time, then as versions; like `go`, never the one with a time that does not exist. */
function newerPseudo(newest: string | undefined, version: string): string | undefined {
  const time = commitTime(version);
  if (time === undefined) return newest;
  const later = newest === undefined ? 1 : time - (commitTime(newest) ?? 0);
  return newest === undefined || later > 0 || (later === 0 && compare(version, newest) > 0) ? version : newest;
}

function commitTime(version: string): number | undefined {
  try {
    return pseudoVersionTime(version).getTime();
  } catch {
    return undefined;
  }
}

/** Two lists of the same module as one, of which what was hidden is forgotten. */
export function mergeLists(one: VersionList, other: VersionList): Steps<VersionList> {
  return versionList([...versionsOf(one), ...versionsOf(other)]);
}

function versionsOf({ tagged, newestPseudo }: VersionList): readonly string[] {
  return newestPseudo === undefined ? tagged : [...tagged, newestPseudo];
}

/** The body of `@v/list`: one version per line, each with its newline; empty for a module without releases. */
export function formatList(list: VersionList): string {
  return list.tagged.length === 0 ? "" : `${list.tagged.join("\n")}\n`;
}

/** Before what is hidden: no version begins with it. */
const hiddenMark = "!";

/** The text under which a list is remembered: the body of `@v/list`, then the newest pseudo-version, then `!` and what is hidden. */
export function formatRemembered(list: VersionList): string {
  const { newestPseudo, hidden } = list;
  const pseudo = newestPseudo === undefined ? "" : `${newestPseudo}\n`;
  return formatList(list) + pseudo + (hidden === undefined ? "" : `${hiddenMark}${hidden}\n`);
}

/** The body of `@v/list` out of `formatRemembered`'s text, without reading 10,000 versions to write them again. */
export function rememberedBody(text: string): string {
  const last = lastLine(text);
  if (text.startsWith(hiddenMark, last)) return rememberedBody(text.slice(0, last));
  return isPseudoVersion(text.slice(last, -1)) ? text.slice(0, last) : text;
}

function lastLine(text: string): number {
  return text.length < 2 ? 0 : text.lastIndexOf("\n", text.length - 2) + 1;
}

/** Reads back `formatRemembered`; rows are ours, and were checked and ordered when they were written. */
export function* parseRemembered(text: string): Steps<VersionList> {
  const tagged: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    tagged.push(text.slice(start, end));
    if (tagged.length % stepsPerTurn === 0) yield;
    start = end + 1;
  }
  const hidden = tagged.at(-1)?.startsWith(hiddenMark) ? tagged.pop()?.slice(hiddenMark.length) : undefined;
  const last = tagged.at(-1);
  const newestPseudo = last !== undefined && isPseudoVersion(last) ? tagged.pop() : undefined;
  return { tagged, newestPseudo, ...(hidden !== undefined && { hidden }) };
}
