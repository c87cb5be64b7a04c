import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { UsedTokens } from "../../lambda/access/oidc/used-tokens.ts";
import { type Open, openFor } from "./opened.ts";

const until = 2_000_000_000;

/** What every `UsedTokens` promises. */
export function usedTokensContract(name: string, open: Open<UsedTokens>): void {
  describe(`${name} keeps the contract of UsedTokens`, () => {
    test("an id is used once, and another is another", async (t: TestContext) => {
      const { store, other: again } = await openFor(t, open);
      assert.deepEqual(
        [await store.use("a", until), await store.use("a", until), await store.use("b", until)],
        [...[true, false, true]],
      );
      assert.deepEqual([await again.use("a", until + 1), await again.use("c", until)], [false, true]);
    });

    test("of all who use it at the same moment one does", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      const uses = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).use("one", until));
      assert.equal((await Promise.all(uses)).filter(Boolean).length, 1);
    });

    test("ids are whatever a hash can be, and ends have fractions", async (t: TestContext) => {
      const { store } = await openFor(t, open);
      assert.deepEqual(
        [await store.use("A-_0".repeat(11), until + 0.5), await store.use("a-_0".repeat(11), until)],
        [true, true],
      );
    });
  });
}
