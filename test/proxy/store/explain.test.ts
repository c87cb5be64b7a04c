import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../lambda/proxy/store/explain.ts";

test("an error is explained down to its first cause, within bounds", () => {
  const why = (message: string, cause?: unknown) => new Error(message, { cause });
  for (const [error, expected] of [
    [why("a"), "a"],
    [why("a", why("b", why("c"))), "a (b (c))"],
    [why("a", "text"), "a (text)"],
    ["text", "text"],
    [why("x".repeat(3_000)), `${"x".repeat(2_000)}…`],
  ] as const)
    assert.equal(explain(error), expected);
  const circle = why("round");
  circle.cause = circle;
  assert.equal(explain(circle), `${"round (".repeat(7)}round${")".repeat(7)}`);
});
