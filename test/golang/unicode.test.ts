import assert from "node:assert/strict";
import { test } from "node:test";
import { firstField, isLetter, isPrint, trimSpace } from "../../lambda/golang/unicode.ts";

function countWhere(holds: (character: string) => boolean): number {
  let count = 0;
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) if (holds(String.fromCodePoint(codePoint))) count++;
  return count;
}

// Counted with Go 1.26. A Node with newer Unicode tables has more: name the new ranges in unicode.ts.
test("there are as many letters and printable characters as in Unicode 15.0", () => {
  assert.equal(countWhere(isLetter), 136_104);
  assert.equal(countWhere(isPrint), 148_998);
});

test("isLetter and isPrint", () => {
  const rows: readonly (readonly [character: string, letter: boolean, print: boolean])[] = [
    ["a", true, true],
    ["é", true, true],
    ["日", true, true],
    ["𝒳", true, true],
    [" ", false, true],
    ["7", false, true],
    ["\u0301", false, true],
    ["🙂", false, true],
    ["\ufffd", false, true],
    ["\x7f", false, false],
    ["\xa0", false, false], // of the spaces only the ASCII one is printable
    ["\xad", false, false],
    ["\u2028", false, false],
    ["\ufeff", false, false],
    ["\ue000", false, false],
    ["\ud800", false, false],
    ["\u{1c89}", false, false], // Unicode 16
    ["\u{323b0}", false, false], // Unicode 17
  ];
  for (const [character, letter, print] of rows) {
    const name = character.codePointAt(0)?.toString(16);
    assert.deepEqual([isLetter(character), isPrint(character)], [letter, print], name);
  }
});

test("trimSpace and firstField go by Go's white space, not by JavaScript's", () => {
  assert.equal(trimSpace("\t\n\v\f\r \x85\xa0\u2028\u3000a b\u2003"), "a b");
  assert.equal(trimSpace("\ufeffa\ufeff"), "\ufeffa\ufeff");
  assert.equal(trimSpace(" \x85"), "");
  assert.deepEqual(firstField(" indirect "), { first: "indirect", more: false });
  assert.deepEqual(firstField("indirect;\x85x"), { first: "indirect;", more: true });
  assert.deepEqual(firstField(" "), { first: "", more: false });
});
