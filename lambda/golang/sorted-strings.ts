import { compareStrings } from "./encoding.ts";
import { type Steps, stepsPerTurn } from "./steps.ts";

/**
 * The strings in Go's order, in a new array.
 *
 * Merged from sorted blocks, because `Array.sort` cannot be interrupted; what is ordered already costs one look at each.
 */
export function* sortedStrings(strings: readonly string[]): Steps<readonly string[]> {
  let blocks: (readonly string[])[] = [];
  for (let start = 0; start < strings.length; start += stepsPerTurn) {
    blocks.push(strings.slice(start, start + stepsPerTurn).sort(compareStrings));
    yield;
  }
  while (blocks.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let i = 0; i < blocks.length; i += 2) merged.push(yield* merge(blocks[i] ?? [], blocks[i + 1] ?? []));
    blocks = merged;
  }
  return blocks[0] ?? [];
}

function* merge(a: readonly string[], b: readonly string[]): Steps<readonly string[]> {
  if (b[0] === undefined || compareStrings(a.at(-1) ?? "", b[0]) <= 0) return a.concat(b);
  const merged: string[] = [];
  for (let i = 0, j = 0; ; ) {
    const left = a[i];
    const right = b[j];
    if (left === undefined || right === undefined) return merged.concat(a.slice(i), b.slice(j));
    const leftFirst = compareStrings(left, right) <= 0;
    merged.push(leftFirst ? left : right);
    if (leftFirst) i++;
    else j++;
    if (merged.length % stepsPerTurn === 0) yield;
  }
}
