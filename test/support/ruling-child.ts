import { join } from "node:path";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedRulings } from "../../lambda/admin/audited-rulings.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { SqliteRulingStore } from "../../lambda/local/data/sqlite-ruling-store.ts";

// Another process that blocks something, or takes a block back: it dies as kill -9 would have it at a failpoint.

export interface RulingChildTask {
  readonly data: string;
  readonly action: "set" | "remove";
  readonly dieAt: FailpointName;
}

const { data, action, dieAt } = JSON.parse(process.argv[2] ?? "") as RulingChildTask;
const failpoint = (name: FailpointName) => {
  if (name === dieAt) process.kill(process.pid, "SIGKILL");
};
const log = new SqliteAuditLog(openAuditDatabase(join(data, auditFile)));
const store = new SqliteRulingStore(data, failpoint);
const changes = new AuditedChanges(log, () => Date.now());
const rulings = new AuditedRulings({ store, changes, tenants: {}, now: () => Date.now() });
const actor = { request: "dying", subject: "mallory", token: "", tenant: "", address: "", rule: "data-folder" };
const name = { kind: "block", module: "a.example/x", version: "v1.0.0" } as const;
if (action === "remove") await rulings.remove(actor, name);
else await rulings.set(actor, { ...name, reason: "why" });
process.stdout.write("answered");
