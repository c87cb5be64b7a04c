import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedRulings } from "../../lambda/admin/audited-rulings.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import { type FailpointName, failpoints } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { SqliteRulingStore } from "../../lambda/local/data/sqlite-ruling-store.ts";
import { dataFolder } from "../support/data-folder.ts";
import type { RulingChildTask } from "../support/ruling-child.ts";

// kill -9 at each boundary of a block on one machine: in the audit log is what happened, and no more. Six seconds.

const script = join(import.meta.dirname, "../support/ruling-child.ts");

type Row = readonly [action: "set" | "remove", dieAt: FailpointName, happened: boolean];

const rows: readonly Row[] = [
  ["set", "ruling.set.before", false],
  ["set", "ruling.set.after", true],
  ["remove", "ruling.remove.before", false],
  ["remove", "ruling.remove.after", true],
];

test("every failpoint of rulings is one of these", () => {
  assert.deepEqual(
    rows.map(([, name]) => name),
    failpoints.filter((name) => name.startsWith("ruling.")),
  );
});

for (const [action, dieAt, happened] of rows) {
  test(`killed at ${dieAt}: ${happened ? "changed, and written down" : "unchanged"}`, async (t) => {
    const data = dataFolder(t);
    const database = openAuditDatabase(join(data, auditFile));
    t.after(() => database.close());
    const log = new SqliteAuditLog(database);
    const store = new SqliteRulingStore(data);
    t.after(() => store.close());
    const changes = new AuditedChanges(log, () => Date.now() + 3_600_000);
    const rulings = new AuditedRulings({ store, changes, tenants: {}, now: () => Date.now() });
    const actor = { request: "first", subject: "ann", token: "", tenant: "", address: "", rule: "operator" };
    const name = { kind: "block", module: "a.example/x", version: "v1.0.0" } as const;
    if (action === "remove") await rulings.set(actor, { ...name, reason: "why" });
    const task: RulingChildTask = { data, action, dieAt };
    const child = spawnSync(process.execPath, [script, JSON.stringify(task)], { encoding: "utf8" });
    assert.deepEqual([child.signal, child.stdout], ["SIGKILL", ""], child.stderr);
    assert.equal(await store.count("block"), (action === "set") === happened ? 1 : 0);
    await changes.settle(rulings.happened);
    const { events } = await log.query({ who: "mallory", since: 0, until: Date.now() + 9e9, limit: 9 });
    assert.deepEqual(
      events.map((event) => [event.action, event.decision]),
      [
        [`block.${action}`, "intended"],
        [`block.${action}`, happened ? "done" : "failed"],
      ],
    );
  });
}
