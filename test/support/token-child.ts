import { join } from "node:path";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedTokens } from "../../lambda/access/audited-tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";

// Another process that changes tokens, put together as the CLI does: it dies as kill -9 would have it when it gets to a
// failpoint the so many-th time.

export interface TokenChildTask {
  readonly data: string;
  readonly action: "create" | "revoke" | "rotate";
  /** The token to revoke. */
  readonly id: string;
  readonly dieAt: FailpointName;
  readonly dieOn: number;
}

const { data, action, id, dieAt, dieOn } = JSON.parse(process.argv[2] ?? "") as TokenChildTask;
let reached = 0;
const log = new SqliteAuditLog(openAuditDatabase(join(data, auditFile)), (name) => {
  if (name === dieAt && ++reached === dieOn) process.kill(process.pid, "SIGKILL");
});
const tokens = new AuditedTokens({
  store: new SqliteTokenStore(data),
  changes: new AuditedChanges(log, () => Date.now()),
  tenants: [],
  now: () => Math.floor(Date.now() / 1000),
});
const actor = { request: "dying", subject: "mallory", token: "", tenant: "", address: "", rule: "data-folder" };
if (action === "create") await tokens.create(actor, { subject: "new", role: "viewer", days: 1 });
if (action === "revoke") await tokens.revoke(actor, id);
if (action === "rotate") await tokens.rotateKey(actor, { dropOld: false });
process.stdout.write("answered");
