import { CodedError } from "../../golang/coded-error.ts";
import { matchPrefixPatterns } from "../../golang/module.ts";
import { PrivateModules } from "./private-modules.ts";
import type { ChainEnd } from "./upstream.ts";

/** One place of a parsed chain. */
export interface ChainEntry {
  /**
   * A proxy's base URL without a slash at its end, which may carry credentials, so that it is never printed; or "direct":
   * the repositories themselves.
   */
  readonly source: URL | "direct";
  readonly onAnyError: boolean;
}

export interface ParsedChain {
  readonly entries: readonly ChainEntry[];
  readonly end: ChainEnd;
}

/**
 * Parses a GOPROXY-style chain as the go command does (cmd/go/internal/modfetch, proxyList).
 *
 * Entries are trimmed and empty ones left out; what follows `off` or `direct` is ignored; `proxy.example/go` means
 * `https://proxy.example/go`. Where Go would take them and we cannot, it is an error too: `file:` URLs and query strings.
 * Throws `CodedError` "config" that counts entries instead of quoting them, for they may hold credentials.
 */
export function parseChain(text: string): ParsedChain {
  const entries: ChainEntry[] = [];
  let number = 0;
  for (const [, raw = "", separator] of text.matchAll(/([^,|]*)([,|]|$)/g)) {
    const entry = raw.trim();
    if (entry === "") continue;
    number++;
    if (entry === "off") return { entries, end: "off" };
    if (entry === "direct") return { entries: [...entries, { source: "direct", onAnyError: false }], end: "nothing" };
    entries.push({ source: parseProxyUrl(entry, number), onAnyError: separator === "|" });
  }
  if (entries.length === 0) throw new CodedError("config", "the upstream chain contains no entries");
  return { entries, end: "nothing" };
}

function parseProxyUrl(entry: string, number: number): URL {
  const wrong = (what: string) => new CodedError("config", `entry ${number} of the upstream chain ${what}`);
  // Single words are reserved for built-in behaviours; of everything else only ":/" makes a complete URL.
  const bare = /[.:/]/.test(entry) && !entry.includes(":/") && !entry.startsWith("/");
  const text = bare ? `https://${entry}` : entry;
  if (/^file:/i.test(text)) throw wrong("is a file: URL, which is not supported");
  // new URL would drop tabs and newlines, turn \ into / and find a host in "https:/host": Go does none of that.
  if (!/^https?:\/\/[^\s\\/?#]/i.test(text) || /[\s\\\x00-\x1f\x7f]/.test(text) || !URL.canParse(text)) {
    throw wrong("is not an http or https URL, direct or off");
  }
  const url = new URL(text);
  if (url.search !== "" || url.hash !== "") throw wrong("has a query or a fragment, which is not supported");
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

export interface UpstreamRule {
  readonly patterns: readonly string[];
  readonly chain: ParsedChain;
}

/** What of the configuration decides where a module comes from. */
export interface RuleSource {
  readonly upstreams: readonly UpstreamRule[];
  readonly private: readonly string[];
  /** For public modules that no rule matches. */
  readonly fallback?: ParsedChain | undefined;
}

const noRule: ParsedChain = { entries: [], end: "no-rule" };
const privateUnnamed: ParsedChain = { entries: [], end: "private-unnamed" };
const privateCase: ParsedChain = { entries: [], end: "private-case" };

/**
 * Chooses the chain for a module: that of the first rule with a pattern that matches.
 *
 * A private module is resolved only by a rule that names it: one of the rule's patterns matches the module and lies
 * within one of the private patterns that make it private, as `corp.example/team` and `*.git.corp.example` lie within
 * `*corp.example`. A broader rule (`github.com` for the private `github.com/corp`) may well lead to a public proxy, so it
 * does not count, and neither does the catch-all or the fallback. Failing closed costs a line of configuration; failing
 * open would tell a public proxy the names of private modules.
 */
export class UpstreamRules {
  readonly #rules: readonly UpstreamRule[];
  readonly #private: readonly string[];
  readonly #modules: PrivateModules;
  readonly #fallback: ParsedChain | undefined;

  constructor(source: RuleSource) {
    this.#rules = source.upstreams.map((rule) => ({ ...rule, patterns: single(rule.patterns) }));
    this.#private = single(source.private);
    this.#modules = new PrivateModules(this.#private);
    this.#fallback = source.fallback;
  }

  isPrivate(modulePath: string): boolean {
    return this.#modules.has(modulePath);
  }

  chainFor(modulePath: string): ParsedChain {
    const reasons = this.#private.filter((pattern) => matchPrefixPatterns(pattern, modulePath));
    if (reasons.length === 0) {
      // Never fetched, so that the edge, which compares letters as they are, has nothing to give away.
      if (this.#modules.hasInOtherCase(modulePath)) return privateCase;
      const rule = this.#rules.find((each) => matchPrefixPatterns(each.patterns.join(","), modulePath));
      return rule?.chain ?? this.#fallback ?? noRule;
    }
    const names = (pattern: string) =>
      matchPrefixPatterns(pattern, modulePath) && reasons.some((reason) => liesWithin(pattern, reason));
    return this.#rules.find((rule) => rule.patterns.some(names))?.chain ?? privateUnnamed;
  }

  /** The chain for whatever is not named anywhere; the way to the checksum database goes through it. */
  get catchAll(): ParsedChain {
    return this.#rules.find((rule) => rule.patterns.some(isCatchAll))?.chain ?? this.#fallback ?? noRule;
  }

  /** Private patterns for which there is no rule, so that only what is stored or published here can be served. */
  get unnamedPrivate(): readonly string[] {
    const rules = this.#rules.flatMap(({ patterns }) => patterns);
    const counts = (rule: string) => this.#private.some((reason) => liesWithin(rule, reason));
    const named = (pattern: string) =>
      rules.some((rule) => liesWithin(rule, pattern) || (liesWithin(pattern, rule) && counts(rule)));
    return this.#private.filter((pattern) => !named(pattern));
  }
}

/** A rule as the configuration file has it. */
export interface ConfiguredRule {
  readonly patterns: string[];
  readonly chain: string;
}

/** The rules without their catch-all patterns, for a chain given at the terminal replaces those and nothing else. */
export function withoutCatchAll(rules: readonly ConfiguredRule[]): ConfiguredRule[] {
  const named = (rule: ConfiguredRule) => single(rule.patterns).filter((pattern) => !isCatchAll(pattern));
  return rules.map((rule) => ({ ...rule, patterns: named(rule) })).filter((rule) => rule.patterns.length > 0);
}

/** GOPRIVATE syntax allows several patterns in one string. */
function single(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => pattern.split(",")).filter((pattern) => pattern !== "");
}

/** True for `*` and what comes to the same, such as two stars with a slash between. */
export function isCatchAll(pattern: string): boolean {
  return /^\*+(\/\*+)*\/?$/.test(pattern);
}

/** True when whatever `inner` matches is matched by `outer`; false also when that is not plain to see. */
function liesWithin(inner: string, outer: string): boolean {
  if (isCatchAll(inner)) return false;
  const elements = patternElements(inner);
  const bounds = patternElements(outer);
  return bounds.length <= elements.length && bounds.every((bound, i) => elementWithin(elements[i] ?? "", bound));
}

/** `corp.example/*` says about what `corp.example` says: a pattern matches everything below it anyhow. */
function patternElements(pattern: string): string[] {
  const elements = pattern.replace(/\/$/, "").split("/");
  while (elements.length > 1 && elements.at(-1) === "*") elements.pop();
  return elements;
}

function elementWithin(inner: string, outer: string): boolean {
  if (inner === outer || outer === "*") return true;
  if (!/[*?[\]\\]/.test(inner)) return matchPrefixPatterns(outer, inner);
  const suffix = /^\*([^*?[\]\\]+)$/.exec(outer)?.[1];
  return suffix !== undefined && inner.endsWith(suffix);
}
