import type { Role } from "../../edge/token.ts";
import { matchGlob } from "./claim-glob.ts";
import { claimTexts, type TokenClaims } from "./claims.ts";
import { claimsOfTemplates, fillTemplates } from "./module-templates.ts";

/** What a rule gives to whom it fits. */
export interface RuleGrant {
  readonly role: Role;
  /** Patterns, in which `{claim}` stands for what a token says. */
  readonly modules: readonly string[];
  readonly minutes: number;
}

/** `oidc[].rules[]` of the configuration. */
export interface ClaimRule extends RuleGrant {
  readonly match: Readonly<Record<string, readonly string[]>>;
}

/** `mtls.rules[]` of the configuration. */
export interface SubjectRule extends RuleGrant {
  readonly subject: string;
}

/** What somebody gets, and by which rule. */
export interface Grant extends RuleGrant {
  /** Patterns without placeholders. */
  readonly modules: readonly string[];
  /** The number of the rule among those of its list. */
  readonly rule: number;
}

/** Nobody's rule, with the claims that were looked at: names, never values. */
export interface NoGrant {
  readonly looked: readonly string[];
}

/**
 * Returns what the first rule that fits gives. All claims of a rule must fit, each by one of its globs.
 *
 * Throws `CodedError` "claim-refused" where that rule's patterns want a claim that is no part of a module path.
 */
export function grantByClaims(rules: readonly ClaimRule[], claims: TokenClaims): Grant | NoGrant {
  const rule = rules.findIndex((each) => fits(each, claims));
  const { role, modules, minutes } = rules[rule] ?? {};
  if (role === undefined || modules === undefined || minutes === undefined) return { looked: claimsOf(rules) };
  return { role, minutes, rule, modules: fillTemplates(modules, claims) };
}

function fits({ match }: ClaimRule, claims: TokenClaims): boolean {
  if (isPullRequest(claims) && !wantsPullRequests(match)) return false;
  return Object.entries(match).every(([name, globs]) => {
    const texts = claimTexts(claims, name);
    return globs.some((glob) => texts.some((text) => matchGlob(glob, text)));
  });
}

/** What a job of GitHub's runs for a pull request may be anybody's code. */
function isPullRequest(claims: TokenClaims): boolean {
  return claimTexts(claims, "event_name").some((event) => event.startsWith("pull_request"));
}

function wantsPullRequests(match: ClaimRule["match"]): boolean {
  return match.event_name?.some((glob) => glob.startsWith("pull_request")) ?? false;
}

function claimsOf(rules: readonly ClaimRule[]): readonly string[] {
  const matched = rules.flatMap(({ match, modules }) => [...Object.keys(match), ...claimsOfTemplates(modules)]);
  return [...new Set([...matched, ...(matched.includes("repository") ? ["event_name"] : [])])];
}

/**
 * Returns what the first rule that fits a certificate's subject gives. A subject with characters that are written with a
 * backslash fits none: what looks like the next attribute may be the text of the one before.
 */
export function grantBySubject(rules: readonly SubjectRule[], subject: string): Grant | NoGrant {
  const rule = /[\\"\n]/.test(subject) ? -1 : rules.findIndex((each) => matchGlob(each.subject, subject));
  const { role, modules, minutes } = rules[rule] ?? {};
  if (role === undefined || modules === undefined || minutes === undefined) return { looked: ["subject"] };
  return { role, minutes, rule, modules };
}

/** True for roles that change something: what gives one counts once. */
export function isWriting(role: Role): boolean {
  return role !== "viewer";
}
