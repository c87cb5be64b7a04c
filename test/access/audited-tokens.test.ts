import assert from "node:assert/strict";

import { type TestContext, test } from "node:test";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedTokens } from "../../lambda/access/audited-tokens.ts";
import { tenantOfPatterns } from "../../lambda/edge/fetch-line.ts";

import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { dataFolder } from "../support/data-folder.ts";
import { MemoryAuditLog } from "../support/memory-audit-log.ts";
import { withFailpoints } from "../support/with-failpoints.ts";

const actor = { request: "r1", subject: "alice", token: "", tenant: "", address: "", rule: "data" };
const wanted = { subject: "bob", role: "viewer", modules: "@payments,corp.example/x", days: 1 };

function world(t: TestContext) {
  const log = new MemoryAuditLog();
  const store = new SqliteTokenStore(dataFolder(t));
  let now = 1_000_000;
  const open = (audit = log) =>
    new AuditedTokens({
      store,
      changes: new AuditedChanges(audit, () => now * 1000),
      tenants: ["payments"],
      now: () => now,
    });
  const shown = () =>
    log.events.map(({ action, target, tenant, decision }) => [action, target, tenant, decision].join(" "));
  const later = () => {
    now += 3600;
  };
  return { log, store, tokens: open(), open, shown, later };
}

test("each change of a token names it, and whose it is", async (t) => {
  const { tokens, store, shown } = world(t);
  const { record } = await tokens.create(actor, wanted);
  await tokens.revoke(actor, record.id);
  const key = (await store.readKeys()).keys[0]?.id;
  await tokens.rotateKey(actor, { dropOld: false });
  const changes = [
    `token.create ${record.id} payments`,
    `token.revoke ${record.id} payments`,
    `token.rotate-key ${key} `,
  ];
  assert.deepEqual(
    shown(),
    changes.flatMap((change) => [`${change} intended`, `${change} done`]),
  );
});

test("what is refused or wrong leaves no event, and a change that cannot be written down does not happen", async (t) => {
  const { tokens, store, log, open, shown } = world(t);
  await assert.rejects(tokens.create(actor, { ...wanted, role: "king" }), { code: "bad-token-request" });
  await assert.rejects(tokens.revoke(actor, "nobody"), { code: "no-such-token" });
  assert.deepEqual(shown(), []);
  const { record } = await tokens.create(actor, wanted);
  const mute = open(withFailpoints(log, [{ method: "write", kind: "failed" }]));
  const keys = await store.readKeys();
  await assert.rejects(mute.create(actor, wanted), { code: "store-failed" });
  await assert.rejects(mute.revoke(actor, record.id), { code: "store-failed" });
  await assert.rejects(mute.rotateKey(actor, { dropOld: true }), { code: "store-failed" });
  assert.deepEqual(await store.readKeys(), keys);
  assert.deepEqual((await store.list(9)).items, [record]);
});

test("of a change that nobody saw end the store tells whether it happened", async (t) => {
  const { tokens, store, log, later } = world(t);
  const { record } = await tokens.create(actor, wanted);
  const [{ id: key } = { id: "" }] = (await store.readKeys()).keys;
  const event = (action: string, target: string) => ({ ...(log.events[0] ?? assert.fail()), action, target });
  const rows = [
    ["token.create", record.id, true],
    ["token.create", "other", false],
    ["token.revoke", record.id, false],
    ["token.revoke", "swept", undefined],
    ["token.rotate-key", key, false],
    ["credential.set", "host", undefined],
  ] as const;
  for (const [action, target, happened] of rows)
    assert.equal(await tokens.happened(event(action, target)), happened, action);
  later();
  await tokens.revoke(actor, record.id);
  await tokens.rotateKey(actor, { dropOld: true });
  assert.equal(await tokens.happened(event("token.rotate-key", key)), true);
  assert.equal(await tokens.happened(event("token.drop-keys", key)), true);
});

test("who intended a revocation and died is not said to have revoked what somebody else did later", async (t) => {
  const { tokens, log, later } = world(t);
  const { record } = await tokens.create(actor, wanted);
  const intended = { ...(log.events[0] ?? assert.fail()), action: "token.revoke", target: record.id };
  later();
  await tokens.revoke({ ...actor, request: "r2", subject: "eve" }, record.id);
  assert.equal(await tokens.happened(intended), undefined);
  const revoked = log.events.find(({ action }) => action === "token.revoke") ?? assert.fail();
  assert.equal(await tokens.happened(revoked), true);
});

test("whose a token is say the patterns that name a tenant", () => {
  assert.deepEqual(["@a", "corp.example/x,@a,@b", "corp.example/@x", "", "*"].map(tenantOfPatterns), [
    "a",
    "a",
    "",
    "",
    "",
  ]);
});
