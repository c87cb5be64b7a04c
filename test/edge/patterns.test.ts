import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { coversModule } from "../../lambda/edge/patterns.ts";
import { matchPrefixPatterns } from "../../lambda/golang/module.ts";

test("patterns cover a module by its leading elements", () => {
  const rows: readonly (readonly [patterns: string, module: string, covered: boolean])[] = [
    ["", "a.b/c", false],
    ["*", "a.b/c", true],
    ["a.b", "a.b/c/d", true],
    ["a.b/", "a.b/c", true],
    ["a.b/c", "a.b", false],
    ["a.b/c", "a.b/cd", false],
    ["a.b/c*", "a.b/cd/e", true],
    ["*.b/[c-e]", "x.b/d/f", true],
    ["*.b/[^c-e]", "x.b/d/f", false],
    ["a.b/*", "a.b", false],
    ["a.b,,c.d/*", "c.d/e", true],
    [" a.b", "a.b", false], // spaces count, as for go
    ["A.b", "a.b", false],
    ["a.b/[", "a.b/[", false],
    ["a.b/[a", "a.b/a", false],
    ["a.b/[]]", "a.b/]", false],
    ["a.b/\\", "a.b/\\", false],
    ["a?b", "a/b", false],
  ];
  for (const [patterns, module, covered] of rows) assert.equal(coversModule(patterns, module), covered, patterns);
});

test("patterns mean what they mean to x/mod, malformed ones too", () => {
  const pieces = [
    "a",
    "b",
    "*",
    "?",
    "/",
    ",",
    "-",
    "[a-b]",
    "[^a]",
    "[]a]",
    "[a",
    "[",
    "]",
    "[\\]]",
    "\\a",
    "\\",
    "[a-",
    "[^",
  ];
  const glob = fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((parts) => parts.join(""));
  const module = fc.string({ unit: fc.constantFrom(..."aab/-][".split("")), maxLength: 5 });
  const check = (patterns: string, path: string) =>
    assert.equal(coversModule(patterns, path), matchPrefixPatterns(patterns, path), JSON.stringify([patterns, path]));
  fc.assert(fc.property(glob, module, check), { numRuns: 20_000 });
});

test("a pattern of many stars takes its time times the name's, not more", () => {
  // A backtracking matcher would not come back from this.
  assert.equal(coversModule(`${"a*".repeat(200)}b`, "a".repeat(1000)), false);
});
