import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { emptyTokenState, type TokenStore } from "../../lambda/access/token-store.ts";
import { createToken, listTokens, revokeToken, rotateKey } from "../../lambda/access/tokens.ts";
import type { TokenSettings } from "../../lambda/edge/access-settings.ts";
import { verifyToken } from "../../lambda/edge/token.ts";

/** A store on its own and what goes with it. */
export interface OpenedTokens {
  readonly store: TokenStore;
  /** Another writer of the same state: in its own right, as another process has it. */
  readonly other: TokenStore;
  /** The key value `tokens` as the edge reads it at this second. */
  readonly edge: (now: number) => Promise<TokenSettings | undefined>;
}

const now = 1_800_000_000;
const request = { subject: 'a "b" \\', role: "publisher", modules: "corp.example/*,*.corp.example", days: 30 };

/** What every `TokenStore` promises, and that the edge acts by it. */
export function tokenStoreContract(name: string, open: () => Promise<OpenedTokens>): void {
  const judge = async ({ edge }: OpenedTokens, token: string, time = now): Promise<string> => {
    const settings = await edge(time);
    if (settings === undefined) return "unreadable";
    const claims = verifyToken(token, settings, time, hmac);
    return typeof claims === "string" ? claims : claims.id;
  };

  describe(`${name} keeps the contract of TokenStore`, () => {
    test("before the first token nobody is let in", async () => {
      const opened = await open();
      const { keys, tokens } = await opened.store.read();
      assert.deepEqual({ keys, tokens }, { keys: emptyTokenState.keys, tokens: emptyTokenState.tokens });
      assert.equal(await judge(opened, `mf_e30.${"x".repeat(43)}`), "unsigned");
    });

    test("what is written is read again, by others too, and the edge takes and refuses by it", async () => {
      const opened = await open();
      const { store, other } = opened;
      const first = await createToken(store, request, now);
      const second = await createToken(other, { ...request, modules: "", subject: "s" }, now + 1);
      assert.deepEqual(await listTokens(store, now), [first.record, second.record]);
      assert.equal(await judge(opened, first.token), first.record.id);
      assert.equal(await judge(opened, second.token), second.record.id);

      await revokeToken(other, first.record.id, now + 2);
      assert.equal(await judge(opened, first.token), "revoked");
      assert.equal(await judge(opened, second.token), second.record.id);
      assert.deepEqual(await listTokens(store, now), [{ ...first.record, revoked: now + 2 }, second.record]);
    });

    test("one rotation keeps older tokens, a dropped key ends them and removes their records", async () => {
      const opened = await open();
      const { store } = opened;
      const first = await createToken(store, request, now);
      const [identityKey] = (await store.read()).identityKeys;
      await rotateKey(store, { dropOld: false }, now);
      const second = await createToken(store, request, now);
      assert.equal(await judge(opened, first.token), first.record.id);
      assert.equal(await judge(opened, second.token), second.record.id);
      assert.notEqual((await store.read()).identityKeys[0], identityKey);
      await rotateKey(store, { dropOld: true }, now);
      assert.equal(await judge(opened, second.token), "unsigned");
      assert.deepEqual((await store.read()).tokens, []);
      assert.equal((await store.read()).keys.length, 1);
    });

    test("a change that throws writes nothing", async () => {
      const { store } = await open();
      const { record } = await createToken(store, request, now);
      await assert.rejects(revokeToken(store, "nobody", now), { code: "no-such-token" });
      assert.deepEqual((await store.read()).tokens, [record]);
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

    test("the longest record is kept as it is", async () => {
      const { store, other } = await open();
      // Half of it backslashes, of which JSON would make two.
      const modules = `corp.example/${"\\a".repeat(243)}a`;
      const longest = { subject: '"'.repeat(100), role: "publisher", modules, days: 3650 };
      assert.equal(modules.length, 500);
      const { record } = await createToken(store, longest, now);
      assert.deepEqual(await listTokens(other, now), [record]);
    });
  });
}
