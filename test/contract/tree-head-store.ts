import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TreeHeadStore } from "../../lambda/proxy/store/tree-head-store.ts";
import { type Open, openFor } from "./opened.ts";

const name = "sum.golang.org";
const notes = ["one", "two", "three"].map((text) => Buffer.from(`${text}\n\n\u2014 ${name} \n`));
const [one, two, three] = notes as [Buffer, Buffer, Buffer];

/** What every `TreeHeadStore` must do, whatever it keeps its notes in. */
export function headStoreContract(implementation: string, open: Open<TreeHeadStore>): void {
  describe(`${implementation} keeps the contract of TreeHeadStore`, () => {
    test("there is no head at first, and none to replace", async (t) => {
      const { store } = await openFor(t, open);
      assert.equal(await store.read(name), undefined);
      assert.equal(await store.replace(name, one, two), false);
      assert.equal(await store.read(name), undefined);
    });

    test("a head is replaced by who knows the present one", async (t) => {
      const { store, other } = await openFor(t, open);
      assert.equal(await store.replace(name, undefined, one), true);
      assert.ok(one.equals((await other.read(name)) ?? new Uint8Array()));
      assert.equal(await other.replace(name, one, two), true);
      assert.ok(two.equals((await store.read(name)) ?? new Uint8Array()));
    });

    test("a head is not replaced by who knows none or another", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.replace(name, undefined, one);
      const near = [undefined, two, one.subarray(1), Buffer.concat([one, Buffer.alloc(1)]), new Uint8Array()];
      for (const old of near) assert.equal(await other.replace(name, old, three), false);
      assert.ok(one.equals((await store.read(name)) ?? new Uint8Array()));
    });

    test("what was read can be given back as what to replace", async (t) => {
      const { store, other } = await openFor(t, open);
      const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await store.replace(name, undefined, every);
      assert.equal(await other.replace(name, await other.read(name), two), true);
    });

    test("neither note nor answer is tied to what is stored", async (t) => {
      const { store } = await openFor(t, open);
      const note = Buffer.from(one);
      await store.replace(name, undefined, note);
      note.fill(0);
      (await store.read(name))?.fill(0);
      assert.ok(one.equals((await store.read(name)) ?? new Uint8Array()));
    });

    test("of many who replace the same head one succeeds", async (t) => {
      const { store, other } = await openFor(t, open);
      let present: Buffer | undefined;
      for (let round = 0; round < 5; round++) {
        const candidates = Array.from({ length: 12 }, (_, i) => Buffer.from(`round ${round} by ${i}`));
        const told = await Promise.all(
          candidates.map((next, i) => (i % 2 ? store : other).replace(name, present, next)),
        );
        assert.equal(told.filter((replaced) => replaced).length, 1);
        present = candidates[told.indexOf(true)];
        assert.equal(Buffer.from((await store.read(name)) ?? []).toString(), present?.toString());
      }
    });

    test("each database has a head of its own", async (t) => {
      const { store } = await openFor(t, open);
      await store.replace(name, undefined, one);
      assert.equal(await store.read("sum.example.org"), undefined);
      assert.equal(await store.replace("sum.example.org", undefined, two), true);
      assert.ok(one.equals((await store.read(name)) ?? new Uint8Array()));
    });
  });
}
