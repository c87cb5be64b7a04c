import assert from "node:assert/strict";
import { test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { createToken, listTokens, revokeToken, rotateKey, type TokenRequest } from "../../lambda/access/tokens.ts";
import { verifyToken } from "../../lambda/edge/token.ts";
import { edgeContext, MemoryTokenStore } from "../support/tokens.ts";

const now = 1_800_000_000;
const day = 86_400;
const request: TokenRequest = { subject: "ci@corp.example", role: "viewer", modules: "corp.example/*", days: 30 };

const open = { anonymous: "none", private: "" } as const;

/** What the edge makes of a token with the state of now: its id, or the fault. */
function judge(token: string, store: MemoryTokenStore, time = now): string {
  const claims = verifyToken(token, edgeContext(open, store.state, time).keyValues, time, hmac);
  return typeof claims === "string" ? claims : claims.id;
}

test("a token says what was asked for, and only its record is kept", async () => {
  const store = new MemoryTokenStore();
  const { token, record } = await createToken(store, { ...request, modules: "corp.example/*, *.corp.example" }, now);
  assert.match(token, /^mf_[\w-]+\.[\w-]{43}$/);
  assert.ok(token.length < 200);
  assert.deepEqual(record, {
    id: record.id,
    subject: "ci@corp.example",
    role: "viewer",
    modules: "corp.example/*,*.corp.example",
    created: now,
    expires: now + 30 * day,
    key: store.state.keys[0]?.id,
  });
  assert.equal(judge(token, store), record.id);
  assert.equal(judge(token, store, now + 30 * day), "expired");
  assert.deepEqual((await listTokens(store, now)).items, [record]);
  assert.ok(!JSON.stringify(store.state).includes(token.slice(-43)));
});

test("modules are everything for an admin and nothing for the others, unless they are given", async () => {
  const store = new MemoryTokenStore();
  const rows = [
    ["admin", undefined, "*"],
    ["admin", "a.b", "a.b"],
    ["operator", undefined, ""],
    ["viewer", "", ""],
  ] as const;
  for (const [role, modules, expected] of rows) {
    const { record } = await createToken(store, { subject: "s", role, modules, days: 1 }, now);
    assert.equal(record.modules, expected, role);
  }
});

test("requests out of bounds are refused, and the longest within them makes a token that is taken", async () => {
  const store = new MemoryTokenStore();
  const rows: readonly (readonly [change: Partial<TokenRequest>, message: RegExp])[] = [
    [{ role: "root" }, /role is one of viewer, publisher/],
    [{ subject: "" }, /subject/],
    [{ subject: "s".repeat(101) }, /subject/],
    [{ subject: "a\nb" }, /subject/],
    [{ subject: "é" }, /subject/],
    [{ modules: "m".repeat(501) }, /modules/],
    [{ modules: "corp.example corp.other" }, /modules: "corp\.example corp\.other": write a comma/],
    [{ modules: "a.b,corp.example/..." }, /modules: .*write corp\.example, which covers everything below it/],
    [{ days: 0 }, /days/],
    [{ days: 1.5 }, /days/],
    [{ days: Number.NaN }, /days/],
    [{ days: 3651 }, /days/],
  ];
  for (const [change, message] of rows) {
    await assert.rejects(createToken(store, { ...request, ...change }, now), { code: "bad-token-request", message });
  }
  assert.deepEqual(store.state.tokens, []);
  const longest = { subject: '"'.repeat(100), role: "publisher", modules: `a.b/${"\\a".repeat(248)}`, days: 3650 };
  const { token, record } = await createToken(store, longest, now);
  assert.equal(judge(token, store), record.id);
  assert.ok(`Basic ${Buffer.from(`user:${token}`).toString("base64")}`.length <= 2500, `${token.length}`);
});

test("a revoked token is refused and listed until it would have ended", async () => {
  const store = new MemoryTokenStore();
  const { token, record } = await createToken(store, request, now);
  const other = await createToken(store, request, now);
  await revokeToken(store, record.id, now + 5);
  await revokeToken(store, record.id, now + 9);
  assert.equal(judge(token, store), "revoked");
  assert.equal(judge(other.token, store), other.record.id);
  const listed = (await listTokens(store, now)).items.toSorted((a, b) => (a.revoked ?? 0) - (b.revoked ?? 0));
  assert.deepEqual(listed, [other.record, { ...record, revoked: now + 5 }]);
  assert.deepEqual((await listTokens(store, now + 30 * day)).items, []);
  await assert.rejects(revokeToken(store, "nobody", now), { code: "no-such-token" });
  await assert.rejects(revokeToken(store, record.id, now + 30 * day), { code: "no-such-token" });
});

test("tokens survive one rotation of the key, and none that drops it", async () => {
  const store = new MemoryTokenStore();
  const first = await createToken(store, request, now);
  await rotateKey(store, { dropOld: false });
  const second = await createToken(store, request, now);
  assert.equal(judge(first.token, store), first.record.id);
  assert.equal(judge(second.token, store), second.record.id);
  await rotateKey(store, { dropOld: false });
  assert.equal(judge(first.token, store), "unsigned");
  assert.equal(judge(second.token, store), second.record.id);
  assert.deepEqual((await listTokens(store, now)).items, [second.record]);
  assert.equal(store.state.identityKeys.length, 2);
  await rotateKey(store, { dropOld: true });
  assert.equal(judge(second.token, store), "unsigned");
  assert.equal(store.state.keys.length, 1);
});
