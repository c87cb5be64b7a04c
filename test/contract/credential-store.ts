import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  type CredentialReads,
  type CredentialStore,
  mostCredentials,
  type SetCredential,
  shown,
} from "../../lambda/upstream/credentials/credential-store.ts";
import { type Open, openFor } from "./opened.ts";

/** What changes them, and what fetches with them, over the same data. */
export interface CredentialSides {
  readonly store: CredentialStore;
  readonly reads: CredentialReads;
}

function credential(match: string, more: Partial<SetCredential> = {}): SetCredential {
  return { tenant: "", match, kind: "basic", user: "u", secret: `of ${match}`, changed: 1000, request: "r1", ...more };
}

const byMatch = <Each extends { readonly match: string; readonly tenant: string }>(all: readonly Each[]) =>
  all.toSorted((a, b) => `${a.tenant} ${a.match}`.localeCompare(`${b.tenant} ${b.match}`));

/** What every `CredentialStore` and its `CredentialReads` promise. */
export function credentialStoreContract(name: string, open: Open<CredentialSides>): void {
  describe(`${name} keeps the contract of CredentialStore`, () => {
    test("what is set is listed without its secret, and read with it, by another process too", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      const all = [
        credential("git.example/team"),
        credential("git.example", { kind: "bearer", user: undefined, secret: "x'\"\\ é" }),
        credential("git.example", { tenant: "pay", request: "r2" }),
      ];
      for (const each of all) await store.store.set(each);
      for (const side of [store, other]) {
        assert.deepEqual(plain(byMatch(await side.store.list())), plain(byMatch(all.map(shown))));
        assert.deepEqual(plain(byMatch(await side.reads.readAll())), plain(byMatch(all)));
        assert.deepEqual([side.reads.hasOwn("pay"), side.reads.hasOwn("hr")], [true, false]);
      }
      const read = await other.reads.readAll();
      assert.equal(await other.reads.readAll(), read, "the same array while nothing has changed");
    });

    test("one replaces another of its name alone, and what was removed is gone but for when", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      const at = { tenant: "pay", match: "a.example" };
      await store.store.set(credential("a.example", { tenant: "pay" }));
      await other.store.set(credential("a.example", { tenant: "pay", secret: "new", changed: 2000, request: "r2" }));
      await store.store.set(credential("a.example"));
      assert.deepEqual(
        byMatch(await store.reads.readAll()).map(({ tenant, secret }) => [tenant, secret]),
        [
          ["", "of a.example"],
          ["pay", "new"],
        ],
      );
      assert.deepEqual(await store.store.last(at), { changed: 2000, request: "r2", removed: false });
      await store.store.remove({ ...at, changed: 3000, request: "r3" });
      assert.deepEqual(await other.store.last(at), { changed: 3000, request: "r3", removed: true });
      assert.deepEqual(
        (await other.reads.readAll()).map(({ tenant }) => tenant),
        [""],
      );
      assert.equal((await other.store.list()).length, 1);
      const again = other.store.remove({ ...at, changed: 4000, request: "r4" });
      await assert.rejects(again, { code: "no-such-credential" });
      await store.store.set(credential("a.example", { tenant: "pay", secret: "back", changed: 5000, request: "r5" }));
      assert.deepEqual(await other.store.last(at), { changed: 5000, request: "r5", removed: false });
      assert.equal((await other.reads.readAll()).find(({ tenant }) => tenant === "pay")?.secret, "back");
    });

    test("nothing changes before the note, or when it rejects", async (t: TestContext) => {
      const { store } = await openFor(t, open);
      const at = { tenant: "", match: "a.example" };
      const refuse = () => Promise.reject(new Error("the log is full"));
      await assert.rejects(store.store.set(credential("a.example"), refuse), /the log is full/);
      assert.equal(await store.store.last(at), undefined);
      await store.store.set(credential("a.example"), async () => assert.equal(await store.store.last(at), undefined));
      await assert.rejects(store.store.remove({ ...at, changed: 2, request: "r" }, refuse), /the log is full/);
      assert.equal((await store.reads.readAll()).length, 1);
      let noted = 0;
      const count = async () => void noted++;
      await assert.rejects(store.store.remove({ tenant: "x", match: "a", changed: 2, request: "r" }, count));
      assert.equal(noted, 0);
    });

    test("each tenant has its own room", async (t: TestContext) => {
      const { store } = await openFor(t, open);
      for (let i = 0; i < mostCredentials; i++) await store.store.set(credential(`h${i}.example`, { tenant: "pay" }));
      const full = { code: "credentials-full" };
      await assert.rejects(store.store.set(credential("more.example", { tenant: "pay" })), full);
      await store.store.set(credential("h0.example", { tenant: "pay", secret: "other" }));
      await store.store.set(credential("more.example", { tenant: "hr" }));
      await store.store.remove({ tenant: "pay", match: "h1.example", changed: 2, request: "r" });
      await store.store.set(credential("more.example", { tenant: "pay" }));
    });
  });
}

/** Without fields that are there and undefined. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}
