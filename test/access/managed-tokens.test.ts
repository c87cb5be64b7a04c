import assert from "node:assert/strict";
import { test } from "node:test";
import { listManagedTokens } from "../../lambda/access/managed-tokens.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import type { Identity } from "../../lambda/edge/token.ts";
import { MemoryTokenStore } from "../support/tokens.ts";

const start = 1_800_000_000;
const tenants = { pay: { modules: ["pay.example"], admins: ["paula"] }, hr: { modules: ["hr.example"] } };
const paula: Identity = { id: "p", role: "viewer", subject: "paula", modules: "@pay" };
const ada: Identity = { id: "a", role: "admin", subject: "ada", modules: "*" };

/** Tokens of these tenants, a second apart, so that their ids are in this order. */
async function storeOf(names: readonly string[]) {
  const store = new MemoryTokenStore();
  const ids: string[] = [];
  for (const [i, name] of names.entries()) {
    const request = { subject: name, role: "viewer", modules: `@${name}`, days: 1 };
    ids.push((await createToken(store, request, start + i, { tenants: Object.keys(tenants) })).record.id);
  }
  return { store, ids };
}

/** What each page says, and where the next begins. */
async function pagesOf(store: MemoryTokenStore, identity: Identity, limit: number) {
  const pages: { readonly subjects: string; readonly next: string | undefined }[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await listManagedTokens(store, identity, tenants, start, { limit, after });
    pages.push({ subjects: items.map(({ subject }) => subject).join(" "), next });
    after = next;
  } while (after !== undefined);
  return pages;
}

test("a tenant's admin has whole pages of its own tokens, and no id of another's says where the next begins", async () => {
  const { store, ids } = await storeOf(["hr", "pay", "hr", "hr", "pay", "hr", "pay", "hr", "hr"]);
  assert.deepEqual(await pagesOf(store, paula, 2), [
    { subjects: "pay pay", next: ids[4] },
    { subjects: "pay", next: undefined },
  ]);
  assert.deepEqual(await pagesOf(store, paula, 3), [{ subjects: "pay pay pay", next: undefined }]);
  const none = await storeOf(["hr", "hr", "hr"]);
  assert.deepEqual(await pagesOf(none.store, paula, 1), [{ subjects: "", next: undefined }]);
});

test("own tokens are found behind thousands of others", async () => {
  const { store } = await storeOf([...Array(2500).fill("hr"), "pay"]);
  assert.deepEqual(await pagesOf(store, paula, 1), [{ subjects: "pay", next: undefined }]);
});

test("an admin's pages are the store's", async () => {
  const { store, ids } = await storeOf(["hr", "pay", "hr"]);
  assert.deepEqual(await pagesOf(store, ada, 2), [
    { subjects: "hr pay", next: ids[1] },
    { subjects: "hr", next: undefined },
  ]);
});
