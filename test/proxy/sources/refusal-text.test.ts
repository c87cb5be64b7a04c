import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalText } from "../../../lambda/proxy/sources/refusal-text.ts";

const long = "é".repeat(400);

const rows: readonly (readonly [sent: string, said: string | undefined])[] = [
  ["blocked by policy\n", "blocked by policy"],
  ["\n\nblocked\r\nask sec@corp.example\r\rnever said", "blocked\nask sec@corp.example"],
  ["1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6"],
  ["", undefined],
  [" \n\t\n", undefined],
  // Pages say nothing at a terminal, in whatever type they come.
  ["<!DOCTYPE html><p>blocked", undefined],
  ["please log in <html lang=en>", undefined],
  ["<SCRIPT>", undefined],
  ["use <header> as it is", "use <header> as it is"],
  // Escape sequences and bidirectional overrides would rewrite what stands above.
  ["a\u001b[2J\u0007b\u202ec\u2028d\u009be", "a [2J b c d e"],
  [long, `${"é".repeat(248)}...`],
];

for (const [sent, said] of rows) {
  test(`of ${JSON.stringify(sent.slice(0, 40))}`, () => {
    const text = refusalText(sent);
    assert.equal(text, said);
    assert.ok(Buffer.byteLength(text ?? "") <= 500);
  });
}
