import { join } from "node:path";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedCredentials } from "../../lambda/admin/audited-credentials.ts";
import { SqliteCredentialStore } from "../../lambda/local/access/sqlite-credential-store.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";

// Another process that changes a credential: it dies as kill -9 would have it when it gets to a failpoint the so many-th time.

export interface CredentialChildTask {
  readonly data: string;
  readonly action: "set" | "replace" | "remove";
  readonly dieAt: FailpointName;
  readonly dieOn: number;
}

const { data, action, dieAt, dieOn } = JSON.parse(process.argv[2] ?? "") as CredentialChildTask;
let reached = 0;
const failpoint = (name: FailpointName) => {
  if (name === dieAt && ++reached === dieOn) process.kill(process.pid, "SIGKILL");
};
const log = new SqliteAuditLog(openAuditDatabase(join(data, auditFile)), failpoint);
const store = new SqliteCredentialStore(data, failpoint);
const changes = new AuditedChanges(log, () => Date.now());
const credentials = new AuditedCredentials({ store, changes, tenants: ["pay"], now: () => Date.now() });
const actor = { request: "dying", subject: "mallory", token: "", tenant: "", address: "", rule: "data-folder" };
const match = action === "set" ? "new.example" : "old.example";
if (action === "remove") await credentials.remove(actor, "pay", match);
else await credentials.set(actor, "pay", { match, kind: "bearer", secret: "of-mallory" });
process.stdout.write("answered");
