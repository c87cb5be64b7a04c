import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Claim, ClaimStore } from "../../lambda/proxy/store/claim-store.ts";
import { faultKinds, withFailpoints } from "../support/with-failpoints.ts";
import { type Open, openFor } from "./opened.ts";

const module = { path: "corp.example/Upper", version: "v1.0.0" };

function claimOf(name: string): Claim {
  return { zip: `h1:zip of ${name}`, goMod: `h1:go.mod of ${name}`, info: Buffer.alloc(32, name).toString("hex") };
}

/** What every `ClaimStore` must do, whatever it keeps its claims in. */
export function claimStoreContract(name: string, open: Open<ClaimStore>): void {
  describe(`${name} keeps the contract of ClaimStore`, () => {
    test("nothing is claimed at first", async (t) => {
      const { store } = await openFor(t, open);
      assert.equal(await store.read(module), undefined);
    });

    test("the first claim stands, whoever claims later and whatever they say", async (t) => {
      const { store, other } = await openFor(t, open);
      const [first, second] = [claimOf("first"), claimOf("second")];
      assert.deepEqual(await store.claim(module, first), first);
      const late = [first, second, { ...first, info: second.info }, { ...first, goMod: second.goMod }];
      for (const claim of late) {
        assert.deepEqual(await other.claim(module, claim), first);
        assert.deepEqual(await store.claim(module, claim), first);
      }
      for (const each of [store, other]) assert.deepEqual(await each.read(module), first);
    });

    test("of many who claim at the same moment all are told the same, which stands", async (t) => {
      const { store, other } = await openFor(t, open);
      const claims = Array.from({ length: 16 }, (_, i) => claimOf(`claim ${i}`));
      const told = await Promise.all(claims.map((claim, i) => (i % 2 ? store : other).claim(module, claim)));
      const [standing] = told;
      for (const each of told) assert.deepEqual(each, standing);
      assert.deepEqual(await other.read(module), standing);
      assert.ok(claims.some((claim) => claim.zip === standing?.zip && claim.info === standing.info));
    });

    for (const kind of faultKinds) {
      test(`after a claim that ${kind} without an answer, the next one tells which stands`, async (t) => {
        const { store, other } = await openFor(t, open);
        const [first, second] = [claimOf("first"), claimOf("second")];
        const failing = withFailpoints(store, [{ method: "claim", kind, call: 1 }]);
        await assert.rejects(failing.claim(module, first), { code: "store-failed" });
        const standing = kind === "landed" ? first : second;
        assert.deepEqual(await other.claim(module, second), standing);
        assert.deepEqual(await failing.claim(module, first), standing);
        assert.deepEqual(await failing.read(module), standing);
      });
    }

    test("each version of each module has a claim of its own", async (t) => {
      const { store, other } = await openFor(t, open);
      const modules = [
        module,
        { ...module, version: "v1.0.1" },
        { ...module, version: "v2.0.0+incompatible" },
        { ...module, path: "corp.example/upper" },
        { ...module, path: "corp.example/Upper/v2" },
        { path: `corp.example/${"long/".repeat(100)}m`, version: "v0.0.0-20240102030405-abcdefabcdef" },
      ];
      for (const [i, each] of modules.entries()) await store.claim(each, claimOf(String(i)));
      for (const [i, each] of modules.entries()) assert.deepEqual(await other.read(each), claimOf(String(i)));
    });
  });
}
