import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedCredentials } from "../../lambda/admin/audited-credentials.ts";
import { SqliteCredentialStore } from "../../lambda/local/access/sqlite-credential-store.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import { type FailpointName, failpoints } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import type { CredentialChildTask } from "../support/credential-child.ts";
import { dataFolder } from "../support/data-folder.ts";

// kill -9 at each boundary between a change of a credential and what is written down of it: never the one without the other.

const script = join(import.meta.dirname, "../support/credential-child.ts");

type Action = CredentialChildTask["action"];

/** Where it dies, what is written down by then, and whether the change has happened. */
function boundaries(action: Action): readonly (readonly [FailpointName, number, readonly string[], boolean])[] {
  const call = action === "remove" ? "credential.remove" : "credential.set";
  return [
    ["audit.write.before", 1, [], false],
    ["audit.write.after", 1, ["intended"], false],
    [`${call}.before`, 1, ["intended"], false],
    [`${call}.after`, 1, ["intended"], true],
    ["audit.write.before", 2, ["intended"], true],
    ["audit.write.after", 2, ["intended", "done"], true],
  ];
}

test("every failpoint of credentials is one of these", () => {
  const reached = new Set((["set", "remove"] as const).flatMap((each) => boundaries(each).map(([name]) => name)));
  for (const name of failpoints.filter((each) => each.startsWith("credential."))) assert.ok(reached.has(name), name);
});

async function world(t: TestContext) {
  const data = dataFolder(t);
  const database = openAuditDatabase(join(data, auditFile));
  t.after(() => database.close());
  const log = new SqliteAuditLog(database);
  const store = new SqliteCredentialStore(data);
  t.after(() => store.close());
  const changes = new AuditedChanges(log, () => Date.now() + 3_600_000);
  const credentials = new AuditedCredentials({ store, changes, tenants: ["pay"], now: () => Date.now() });
  const actor = { request: "first", subject: "paula", token: "", tenant: "pay", address: "", rule: "tenant-admin" };
  await credentials.set(actor, "pay", { match: "old.example", kind: "bearer", secret: "of-paula" });
  const decisions = async () => {
    const { events } = await log.query({ who: "mallory", since: 0, until: Date.now() + 9e9, limit: 9 });
    return events.map(({ decision }) => decision);
  };
  const secretOf = async (match: string) => (await store.readAll()).find((each) => each.match === match)?.secret;
  return { data, changes, credentials, decisions, secretOf };
}

for (const action of ["set", "replace", "remove"] as const) {
  for (const [dieAt, dieOn, left, happened] of boundaries(action)) {
    test(`${action}: killed at ${dieAt}, the ${dieOn}. time: ${happened ? "changed, and written down" : "unchanged"}`, async (t) => {
      const { data, changes, credentials, decisions, secretOf } = await world(t);
      const task: CredentialChildTask = { data, action, dieAt, dieOn };
      const child = spawnSync(process.execPath, [script, JSON.stringify(task)], { encoding: "utf8" });
      assert.deepEqual([child.signal, child.stdout], ["SIGKILL", ""], child.stderr);
      const after = { set: "of-mallory", replace: "of-mallory", remove: undefined } as const;
      const before = { set: undefined, replace: "of-paula", remove: "of-paula" } as const;
      const match = action === "set" ? "new.example" : "old.example";
      assert.equal(await secretOf(match), (happened ? after : before)[action]);
      assert.deepEqual(await decisions(), left);
      await changes.settle(credentials.happened);
      assert.deepEqual(await decisions(), left.length === 1 ? ["intended", happened ? "done" : "failed"] : left);
    });
  }
}
