// Whether patterns in GOPRIVATE syntax have modules in common. x/mod does not ask; whoever gives modules to people must.

import { alphabet, splitElements } from "./module-pattern.ts";
import { matchPath } from "./path-match.ts";

/** True when a module path can match both patterns (of `matchPrefixPatterns`); both are without fault. */
export function patternsMeet(one: string, other: string): boolean {
  const [left, right] = [elementsOf(one), elementsOf(other)];
  // Whichever is shorter says nothing of the elements that follow.
  return left.every((element, i) => {
    const opposite = right[i];
    return opposite === undefined || elementsMeet(element, opposite);
  });
}

/**
 * True only when every module path that `inner` matches is matched by `outer`, element by element: where an element of
 * `inner` is a glob, `outer` must have the same one or `*` there.
 */
export function isPatternWithin(inner: string, outer: string): boolean {
  const [inside, outside] = [elementsOf(inner), elementsOf(outer)];
  return outside.every((glob, i) => {
    const element = inside[i];
    return element !== undefined && isElementWithin(element, glob);
  });
}

function elementsOf(pattern: string): readonly (readonly string[])[] {
  return splitElements(pattern.endsWith("/") ? pattern.slice(0, -1) : pattern);
}

function isElementWithin(element: readonly string[], glob: readonly string[]): boolean {
  const [inner, outer] = [element.join(""), glob.join("")];
  if (outer === "*" || outer === inner) return true;
  return !element.some(isGlob) && matchPath(outer, element.map(literalOf).join("")).matched;
}

function isGlob(token: string): boolean {
  return token === "*" || token === "?" || token.startsWith("[");
}

function literalOf(token: string): string {
  return token.replace(/^\\(?=.)/s, "");
}

/** A search through both globs at once for a text that both match; places where a star ends or goes on are two ways. */
function elementsMeet(one: readonly string[], other: readonly string[]): boolean {
  const seen = new Set<number>();
  const queue: (readonly [number, number])[] = [[0, 0]];
  for (const [i, j] of queue) {
    const state = i * (other.length + 1) + j;
    if (seen.has(state)) continue;
    seen.add(state);
    const [left, right] = [one[i], other[j]];
    if (left === undefined && right === undefined) return true;
    if (left === "*") queue.push([i + 1, j]);
    if (right === "*") queue.push([i, j + 1]);
    if (left === undefined || right === undefined || !shareCharacter(left, right)) continue;
    queue.push([left === "*" ? i : i + 1, right === "*" ? j : j + 1]);
  }
  return false;
}

function shareCharacter(left: string, right: string): boolean {
  if (!isGlob(left) && !isGlob(right)) return literalOf(left) === literalOf(right);
  return alphabet.some((character) => matchPath(left, character).matched && matchPath(right, character).matched);
}
