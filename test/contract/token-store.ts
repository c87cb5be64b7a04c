import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import type { TokenRecord, TokenStore } from "../../lambda/access/token-store.ts";
import { createToken, listTokens, revokeToken, rotateKey } from "../../lambda/access/tokens.ts";
import type { KeyValues } from "../../lambda/edge/access-settings.ts";
import { verifyToken } from "../../lambda/edge/token.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";

/** A store on its own and what goes with it. */
export interface OpenedTokens {
  readonly store: TokenStore;
  /** Another writer of the same state: in its own right, as another process has it. */
  readonly other: TokenStore;
  /** The key value `tokens` as the edge reads it at this second. */
  readonly edge: (now: number) => Promise<KeyValues>;
}

const now = 1_800_000_000;
const request = { subject: 'a "b" \\', role: "publisher", modules: "corp.example/*,*.corp.example", days: 30 };

const byId = (...records: readonly TokenRecord[]) => records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
const tokensOf = async (store: TokenStore) => (await listTokens(store, now)).items;

/** What every `TokenStore` promises, and that the edge acts by it. */
export function tokenStoreContract(name: string, open: () => Promise<OpenedTokens>): void {
  const judge = async ({ edge }: OpenedTokens, token: string, time = now): Promise<string> => {
    const claims = verifyToken(token, await edge(time), time, hmac);
    return typeof claims === "string" ? claims : claims.id;
  };

  describe(`${name} keeps the contract of TokenStore`, () => {
    test("before the first token nobody is let in", async () => {
      const opened = await open();
      assert.deepEqual((await opened.store.readKeys()).keys, []);
      assert.deepEqual(await opened.store.list(10), { items: [] });
      assert.equal(await judge(opened, `mf_e30.${"x".repeat(43)}`), "unsigned");
    });

    test("what is written is read again, by others too, and the edge takes and refuses by it", async () => {
      const opened = await open();
      const { store, other } = opened;
      const first = await createToken(store, request, now);
      const second = await createToken(other, { ...request, modules: "", subject: "s" }, now + 1);
      assert.deepEqual(await tokensOf(store), byId(first.record, second.record));
      assert.equal(await judge(opened, first.token), first.record.id);
      assert.equal(await judge(opened, second.token), second.record.id);

      await revokeToken(other, first.record.id, now + 2);
      assert.equal(await judge(opened, first.token), "revoked");
      assert.equal(await judge(opened, second.token), second.record.id);
      assert.deepEqual(await tokensOf(store), byId({ ...first.record, revoked: now + 2 }, second.record));
    });

    test("one rotation keeps older tokens, a dropped key ends them and removes their records", async () => {
      const opened = await open();
      const { store } = opened;
      const first = await createToken(store, request, now);
      const [identityKey] = (await store.readKeys()).identityKeys;
      await rotateKey(store, { dropOld: false });
      const second = await createToken(store, request, now);
      assert.equal(await judge(opened, first.token), first.record.id);
      assert.equal(await judge(opened, second.token), second.record.id);
      assert.notEqual((await store.readKeys()).identityKeys[0], identityKey);
      await rotateKey(store, { dropOld: true });
      assert.equal(await judge(opened, second.token), "unsigned");
      assert.deepEqual(await tokensOf(store), []);
      assert.equal((await store.readKeys()).keys.length, 1);
    });

    test("a change that throws writes nothing", async () => {
      const { store } = await open();
      const { record } = await createToken(store, request, now);
      await assert.rejects(revokeToken(store, "nobody", now), { code: "no-such-token" });
      assert.deepEqual(await tokensOf(store), [record]);
    });

    test("writers at the same moment lose nothing, not even at the very first token", async () => {
      const opened = await open();
      const stores = [opened.store, opened.other, opened.store, opened.other];
      const made = await Promise.all(stores.map((store) => createToken(store, request, now)));
      const ids = made.map(({ record }) => record.id);
      for (const { token, record } of made) assert.equal(await judge(opened, token), record.id);
      await Promise.all(ids.map((id, i) => revokeToken(stores[i] as TokenStore, id, now)));
      for (const { token } of made) assert.equal(await judge(opened, token), "revoked");
    });

    test("a list goes on from page to page, each token once", async () => {
      const { store, other } = await open();
      const made: TokenRecord[] = [];
      for (let i = 0; i < 7; i++) made.push((await createToken(store, request, now + i)).record);
      const listed: TokenRecord[] = [];
      let after: string | undefined;
      do {
        const { items, next } = await other.list(3, after);
        assert.ok(items.length <= 3);
        listed.push(...items);
        after = next;
      } while (after !== undefined);
      assert.deepEqual(listed, byId(...made));
    });

    test("a change is noted before it takes effect, and does not happen when it cannot be", async () => {
      const opened = await open();
      const { store } = opened;
      const fail = async () => Promise.reject(new CodedError("audit-full", "no room"));
      const { token, record } = await createToken(store, request, now);
      const [key] = (await store.readKeys()).keys;
      await assert.rejects(createToken(store, request, now, { note: fail }), { code: "audit-full" });
      await assert.rejects(revokeToken(store, record.id, now, { note: fail }), { code: "audit-full" });
      await assert.rejects(rotateKey(store, { dropOld: true, note: fail }), { code: "audit-full" });
      assert.deepEqual(await tokensOf(store), [record]);
      assert.deepEqual((await store.readKeys()).keys, [key]);
      assert.equal(await judge(opened, token), record.id);
      const seen: unknown[] = [];
      const note = async ({ id }: TokenRecord) => void seen.push(id, await judge(opened, token));
      await revokeToken(store, record.id, now, { note });
      assert.deepEqual(seen, [record.id, record.id]);
      assert.equal(await judge(opened, token), "revoked");
    });

    test("an id that is taken stays whose it is", async () => {
      const { store, other } = await open();
      const { record } = await createToken(store, request, now);
      await assert.rejects(other.add({ ...record, subject: "another" }), { code: "token-exists" });
      assert.deepEqual(await tokensOf(store), [record]);
    });

    test("the longest record is kept as it is", async () => {
      const { store, other } = await open();
      // Half of it backslashes, of which JSON would make two.
      const modules = `corp.example/${"\\a".repeat(243)}a`;
      const longest = { subject: '"'.repeat(100), role: "publisher", modules, days: 3650 };
      assert.equal(modules.length, 500);
      const { record } = await createToken(store, longest, now);
      assert.deepEqual(await tokensOf(other), [record]);
    });
  });
}
