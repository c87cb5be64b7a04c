import type { Budget } from "./attribute-error.ts";
import { compile, matches, type Wildmatch } from "./wildmatch.ts";

/** Reports whether a pattern of a folder's `.gitattributes` means the file at `path`, relative to that folder. */
export type AttributePattern = (path: string, budget: Budget) => boolean;

/**
 * Compiles a pattern as git reads them in `.gitattributes`: without a slash it is about the file's name in any folder below;
 * with one at its end it is about folders, which have no content that could be converted. Byte strings.
 */
export function attributePattern(pattern: string): AttributePattern {
  if (pattern.endsWith("/")) return () => false;
  return pattern.includes("/") ? pathPattern(pattern.replace(/^\//, "")) : namePattern(pattern);
}

function namePattern(pattern: string): AttributePattern {
  const literal = literalLength(pattern);
  if (literal === pattern.length) return (path, budget) => ends(path, `/${pattern}`, budget) || path === pattern;
  const tail = pattern.slice(1);
  if (pattern.startsWith("*") && literalLength(tail) === tail.length) {
    return (path, budget) => ends(path, tail, budget);
  }
  const wildmatch = compile(pattern, false);
  return (path, budget) => matches(wildmatch, path.slice(path.lastIndexOf("/") + 1), budget);
}

function ends(path: string, tail: string, budget: Budget): boolean {
  budget.spend(1);
  return path.endsWith(tail);
}

/** What stands in front of the first wildcard is compared and cut off, and `**` right behind it counts as a beginning. */
function pathPattern(pattern: string): AttributePattern {
  const prefix = pattern.slice(0, literalLength(pattern));
  const rest = pattern.slice(prefix.length);
  const wildmatch: Wildmatch = compile(rest, true);
  return (path, budget) => {
    budget.spend(1);
    if (!path.startsWith(prefix)) return false;
    return rest === "" ? path.length === prefix.length : matches(wildmatch, path.slice(prefix.length), budget);
  };
}

function literalLength(pattern: string): number {
  const wildcard = pattern.search(/[*?[\\]/);
  return wildcard < 0 ? pattern.length : wildcard;
}
