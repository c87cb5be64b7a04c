import { CodedError } from "../../golang/coded-error.ts";
import { checkImportPath } from "../../golang/module.ts";
import { faultOfPatterns } from "../../golang/module-pattern.ts";
import { isModulePattern } from "../tenants.ts";
import { claimTexts, type TokenClaims } from "./claims.ts";

const placeholder = /\{([^{}]*)\}/g;

/** Says what is wrong with patterns in which `{claim}` stands for what a token will say, or `undefined`. */
export function faultOfTemplates(templates: readonly string[]): string | undefined {
  for (const template of templates) {
    const named = [...template.matchAll(placeholder)].map(([, name]) => name);
    if (named.includes("") || /[{}]/.test(template.replace(placeholder, "x")))
      return `${template}: a claim is written {name}`;
    if (!isModulePattern(template) && named.length > 0)
      return `${template}: no claim can choose a tenant: write a rule for each`;
  }
  // For any value that a claim may have: a host stands for it best.
  return faultOfPatterns(templates.filter(isModulePattern).map((each) => each.replace(placeholder, "x.example")));
}

/** The claims that patterns name, each once. */
export function claimsOfTemplates(templates: readonly string[]): readonly string[] {
  return [...new Set(templates.flatMap((each) => [...each.matchAll(placeholder)].map(([, name = ""]) => name)))];
}

/**
 * Returns the patterns with what a token says in place of `{claim}`: `"github.com/{repository}"` becomes
 * `"github.com/corp/tools"`.
 *
 * Whoever the token is for may have chosen the value, so that it must be a part of a module path, spelt out: no star or
 * bracket, comma or `@` gets into a pattern. Throws `CodedError` "claim-refused" with the claim's name for any other value,
 * a list and none at all.
 */
export function fillTemplates(templates: readonly string[], claims: TokenClaims): readonly string[] {
  return templates.map((each) => each.replace(placeholder, (_, name) => pathPart(name, claims)));
}

function pathPart(name: string, claims: TokenClaims): string {
  const [text, ...more] = claimTexts(claims, name);
  try {
    if (text === undefined || more.length > 0 || text.length > 300) throw new Error("not one text");
    // Of what an import path may hold, a plus is none of a module's.
    checkImportPath(text);
    if (text.includes("+")) throw new Error("not of a module path");
    return text;
  } catch (cause) {
    throw new CodedError("claim-refused", `the claim ${name} is no part of a module path`, { cause });
  }
}
