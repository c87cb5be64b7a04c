import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedTokens } from "../../lambda/access/audited-tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import { type FailpointName, failpoints } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { dataFolder } from "../support/data-folder.ts";
import type { TokenChildTask } from "../support/token-child.ts";

// kill -9 at each boundary between a change and what is written down of it: never the one without the other.

const script = join(import.meta.dirname, "../support/token-child.ts");

/** Where it dies, what is written down by then, whether the change has happened, and what is written down later. */
const boundaries: readonly (readonly [dieAt: FailpointName, on: number, left: readonly string[], happened: boolean])[] =
  [
    ["audit.write.before", 1, [], false],
    ["audit.write.after", 1, ["intended"], false],
    ["audit.write.before", 2, ["intended"], true],
    ["audit.write.after", 2, ["intended", "done"], true],
  ];

test("every failpoint of the audit log is one of these", () => {
  const mine = failpoints.filter((name) => name.startsWith("audit."));
  assert.deepEqual([...new Set(boundaries.map(([name]) => name))].sort(), [...mine].sort());
});

async function world(t: TestContext) {
  const data = dataFolder(t);
  const database = openAuditDatabase(join(data, auditFile));
  t.after(() => database.close());
  const log = new SqliteAuditLog(database);
  const store = new SqliteTokenStore(data);
  const later = () => Date.now() + 3_600_000;
  const changes = new AuditedChanges(log, later);
  const tokens = new AuditedTokens({ store, changes, tenants: [], now: () => Math.floor(later() / 1000) });
  const actor = { request: "first", subject: "alice", token: "", tenant: "", address: "", rule: "data-folder" };
  const { record } = await tokens.create(actor, { subject: "old", role: "viewer", days: 9 });
  const decisions = async () => {
    const { events } = await log.query({ who: "mallory", since: 0, until: later() + 1, limit: 9 });
    return events.map(({ decision }) => decision);
  };
  return { data, store, changes, tokens, id: record.id, decisions };
}

for (const [dieAt, dieOn, left, happened] of boundaries) {
  for (const action of ["create", "revoke", "rotate"] as const) {
    test(`${action}: killed at ${dieAt}, the ${dieOn}. time: ${happened ? "changed, and written down" : "unchanged"}`, async (t) => {
      const { data, store, changes, tokens, id, decisions } = await world(t);
      const before = (await store.readKeys()).keys[0]?.id;
      const task: TokenChildTask = { data, action, id, dieAt, dieOn };
      const child = spawnSync(process.execPath, [script, JSON.stringify(task)], { encoding: "utf8" });
      assert.deepEqual([child.signal, child.stdout], ["SIGKILL", ""], child.stderr);
      const { items } = await store.list(9);
      const changed = {
        create: items.some(({ subject }) => subject === "new"),
        revoke: items.find((token) => token.id === id)?.revoked !== undefined,
        rotate: (await store.readKeys()).keys[0]?.id !== before,
      };
      assert.deepEqual([changed[action], await decisions()], [happened, left]);
      await changes.settle(tokens.happened);
      const end = happened ? "done" : "failed";
      const settled = left.length === 1 ? ["intended", end] : left;
      assert.deepEqual(await decisions(), settled);
      await changes.settle(tokens.happened);
      assert.deepEqual(await decisions(), settled, "settled once");
    });
  }
}
