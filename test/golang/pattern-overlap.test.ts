import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchPrefixPatterns } from "../../lambda/golang/module.ts";
import { isPatternWithin, patternsMeet } from "../../lambda/golang/pattern-overlap.ts";

test("patterns meet where a module path can match both", () => {
  const rows: readonly (readonly [one: string, other: string, meet: boolean])[] = [
    ["corp.example", "corp.example", true],
    ["corp.example/pay", "corp.example", true], // what is shorter covers what is below it
    ["corp.example/pay", "corp.example/payments", false],
    ["corp.example/pay/", "corp.example/pay/api", true],
    ["corp.example/*-api", "corp.example/pay-*", true], // pay-api
    ["corp.example/*-api", "corp.example/*-web", false],
    ["corp.example/a*b", "corp.example/*ba*", true], // aba…b
    ["corp.example/[a-f]x", "corp.example/[e-z]x", true],
    ["corp.example/[a-f]x", "corp.example/[g-z]x", false],
    ["corp.example/[^a]x", "corp.example/ax", false],
    ["corp.example/?x", "corp.example/xx", true],
    ["*.corp.example", "git.corp.example/a", true],
    ["*.corp.example", "corp.example", false],
    ["corp.example/\\a", "corp.example/a", true],
  ];
  for (const [one, other, meet] of rows) {
    assert.equal(patternsMeet(one, other), meet, `${one} ${other}`);
    assert.equal(patternsMeet(other, one), meet, `${other} ${one}`);
  }
});

test("a pattern is within another where that has all it has", () => {
  const rows: readonly (readonly [inner: string, outer: string, within: boolean])[] = [
    ["corp.example/pay", "corp.example", true],
    ["corp.example", "corp.example/pay", false],
    ["corp.example/pay-api/v2", "corp.example/pay-*", true],
    ["corp.example/pay-*/x", "corp.example/pay-*", true],
    ["corp.example/p*", "corp.example/pay-*", false],
    ["corp.example/*", "corp.example/*", true],
    ["corp.example/a*", "corp.example/*", true],
    ["*", "corp.example", false],
  ];
  for (const [inner, outer, within] of rows) assert.equal(isPatternWithin(inner, outer), within, `${inner} ${outer}`);
});

const element = fc.constantFrom("a.b", "a", "b", "ab", "*", "a*", "*b", "?", "[ab]", "[^a]", "\\a", "?b", "*a*");
const pattern = fc.array(element, { minLength: 1, maxLength: 3 }).map((elements) => elements.join("/"));
const module = fc
  .array(fc.constantFrom("a.b", "a", "b", "ab", "ba", "aab", "c"), { minLength: 1, maxLength: 4 })
  .map((elements) => elements.join("/"));

test("a module that matches both patterns shows that they meet, and one within another matches no more", () => {
  fc.assert(
    fc.property(pattern, pattern, module, (one, other, path) => {
      const [inOne, inOther] = [matchPrefixPatterns(one, path), matchPrefixPatterns(other, path)];
      if (inOne && inOther) assert.ok(patternsMeet(one, other));
      if (inOne && isPatternWithin(one, other)) assert.ok(inOther);
    }),
    { numRuns: 5000 },
  );
});
