// Patterns in GOPRIVATE syntax, judged before they are used: one that can match nothing protects nothing.

import { checkPath } from "./module.ts";
import { matchPath } from "./path-match.ts";
import { quote } from "./quoted-string.ts";
import { withoutCredentials } from "./shown-text.ts";

/** Splits patterns as go splits GOPRIVATE, and leaves out what is empty: `"a.example/*, b.example,"` is two. */
export function splitPatterns(text: string): string[] {
  return text
    .split(",")
    .map((pattern) => pattern.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((pattern) => pattern !== "");
}

/** Splits one string or many, each of which may hold several patterns. */
export function splitAllPatterns(texts: string | readonly string[]): string[] {
  return [texts].flat().flatMap((text) => splitPatterns(text));
}

/**
 * Says why no valid module path can match the pattern (of `matchPrefixPatterns`), and what was meant; else `undefined`.
 *
 * `"corp.example/..."` gives `"corp.example/...": write corp.example, which covers everything below it`.
 */
export function faultOfPattern(pattern: string): string | undefined {
  const glob = withoutSlash(pattern);
  if (matchPath(glob, "").malformed) return "expected patterns in GOPRIVATE syntax";
  if (hasSlashInClass(glob)) return `${quote(pattern)}: write the slash outside of the brackets`;
  if (exampleOfGlob(glob) !== undefined && !refusedSuffix.test(glob)) return undefined;
  const shown = withoutCredentials(pattern);
  return `${quote(shown)}: ${advice(shown)}`;
}

/** The first fault among patterns, or `undefined`. */
export function faultOfPatterns(patterns: readonly string[]): string | undefined {
  return patterns.map(faultOfPattern).find((fault) => fault !== undefined);
}

/** Returns a valid module path that the pattern matches, or `undefined`. */
export function exampleOfPattern(pattern: string): string | undefined {
  const glob = withoutSlash(pattern);
  return matchPath(glob, "").malformed || hasSlashInClass(glob) ? undefined : exampleOfGlob(glob);
}

/** `matchPrefixPatterns` ignores one slash at the end. */
function withoutSlash(pattern: string): string {
  return pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
}

function exampleOfGlob(glob: string): string | undefined {
  const elements = splitElements(glob).map((element, i) => exampleOfElement(element, i === 0));
  // Whatever the last element looks like (v1, or anything at gopkg.in), this one behind it is a proper end.
  return elements.includes(undefined) ? undefined : `${elements.join("/")}/z.v1`;
}

/** `*`, `?`, a class with its brackets, or one character, maybe escaped. Only for patterns that are well-formed. */
const token = /\\.|\[(?:\\.|[^\]\\])*\]|./gsu;

function tokens(glob: string): string[] {
  return glob.match(token) ?? [];
}

function hasSlashInClass(glob: string): boolean {
  return tokens(glob).some((each) => each.startsWith("[") && each.includes("/"));
}

export function splitElements(glob: string): string[][] {
  const elements: string[][] = [[]];
  for (const each of tokens(glob)) {
    if (each === "/" || each === "\\/") elements.push([]);
    else elements.at(-1)?.push(each);
  }
  return elements;
}

/** Every character that a module path may have but the slash. */
export const alphabet = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"];

/** What `*` and `?` need to try: the dot, which a host must have, and the letter that no Windows device has. */
const enough = ["z", "."];

/** A breadth-first search through pattern and rules at once: beginnings that can go on in the same ways are one. */
function exampleOfElement(pattern: readonly string[], first: boolean): string | undefined {
  const seen = new Set<string>();
  const queue: { readonly at: number; readonly text: string }[] = [{ at: 0, text: "" }];
  for (const { at, text } of queue) {
    const state = `${at} ${stateOf(text)}`;
    if (seen.has(state)) continue;
    seen.add(state);
    const next = pattern[at];
    if (next === undefined) {
      if (isElement(text, first)) return text;
      continue;
    }
    if (next === "*") queue.push({ at: at + 1, text });
    for (const character of charactersOf(next)) {
      queue.push({ at: next === "*" ? at : at + 1, text: text + character });
    }
  }
  return undefined;
}

function charactersOf(each: string): readonly string[] {
  if (each === "*" || each === "?") return enough;
  if (!each.startsWith("[")) return [each.replace(/^\\(?=.)/s, "")];
  return alphabet.filter((character) => matchPath(each, character).matched);
}

const devices =
  "con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9";

/** What of the beginning of an element decides how it may go on, by the rules of `checkPath`. */
function stateOf(text: string): string {
  const dot = text.indexOf(".");
  const short = (dot < 0 ? text : text.slice(0, dot)).toLowerCase();
  const device = ` ${devices}`.includes(` ${short}`) ? short : "other";
  const tilde = /~[0-9]*$/.exec(short)?.[0].slice(0, 2).replace(/[0-9]/, "0") ?? "";
  // Whether a character was wrong stays so: the whole is judged by checkPath at the end.
  const wrong = /^[-.]|[^-._~0-9A-Za-z]/.exec(text)?.[0] ?? "";
  const upper = /[A-Z_~]/.test(text);
  return [text === "", device, tilde, wrong, upper, dot >= 0, text.endsWith(".")].join(" ");
}

function isElement(text: string, first: boolean): boolean {
  try {
    checkPath(first ? `${text}/z.v1` : `z.z/${text}/z.v1`);
    return true;
  } catch {
    return false;
  }
}

/** cmd/go refuses these on hosts whose repositories it finds by their path (vcs.go, noVCSSuffix). */
const refusedSuffix = /^(?:github\.com|bitbucket\.org)\/.*\.(?:bzr|fossil|git|hg|svn)$/;

interface Advice {
  readonly when: RegExp;
  readonly say: (pattern: string) => string;
}

/** What people write who mean something else, the surest sign first. */
const advices: readonly Advice[] = [
  { when: /[\s;|]/, say: () => "write a comma between two patterns" },
  { when: /^[A-Za-z][-+.A-Za-z0-9]*:/, say: (pattern) => write(pattern.replace(/^[^:]*:\/*/, ""), "without a scheme") },
  { when: /^\//, say: (pattern) => write(pattern.replace(/^\/+/, ""), "without a slash before it") },
  { when: /\/\//, say: (pattern) => write(pattern.replace(/\/{2,}/g, "/"), "with single slashes") },
  {
    when: /\/?\.{3,}$/,
    say: (pattern) => write(pattern.replace(/\/?\.{3,}$/, ""), "which covers everything below it"),
  },
  { when: /.@/, say: (pattern) => write(pattern.replace(/@.*$/s, ""), "for a pattern covers all versions") },
  {
    when: /\.(?:bzr|fossil|git|hg|svn)$/,
    say: (pattern) => write(pattern.replace(/\.[a-z]+$/, ""), "the path of the module and not of its repository"),
  },
  {
    when: /^[^/]*[A-Z]/,
    say: (pattern) =>
      write(
        pattern.replace(/^[^/]*/, (host) => host.toLowerCase()),
        "with the host in lower case",
      ),
  },
  { when: /^[^/.*?[]*(?:\/|$)/, say: () => "a module path begins with a host name, which has a dot" },
];

function write(meant: string, why: string): string {
  return meant === "" ? "no module path matches it" : `write ${meant}, ${why}`;
}

function advice(pattern: string): string {
  return advices.find(({ when }) => when.test(pattern))?.say(pattern) ?? "no module path matches it";
}
