import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { AuditLog, AuditPage, AuditQuestion } from "../../lambda/access/audit/audit-log.ts";
import type { Actor } from "../../lambda/access/audit/audited-changes.ts";
import { functionName } from "../../lambda/config/env.ts";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import type { AccessPlace } from "./access-place.ts";
import type { Terminal } from "./verb.ts";

export interface OpenedAudit {
  readonly log: AuditLog;
  readonly close: () => void;
}

/** Returns the audit log of the place that the flags name, made in the data folder where there is none yet. */
export async function openAudit(place: AccessPlace, { environment }: Terminal): Promise<OpenedAudit> {
  const { data, config, stack } = place;
  if (stack !== undefined) {
    const { openDeployedAudit } = await import("../../lambda/aws/open-deployed-audit.ts");
    return { log: await openDeployedAudit(stack, functionName(stack, "control")), close: () => {} };
  }
  const settings = readDataSettings({ data, config }, environment);
  if (!existsSync(settings.data)) mkdirSync(settings.data, { recursive: true, mode: 0o700 });
  const database = openAuditDatabase(join(settings.data, auditFile));
  return { log: new SqliteAuditLog(database), close: () => database.close() };
}

/**
 * Returns what answers questions about the place that the flags name: of a deployment by SQL, where it has tables of changes and
 * fetches, else its changes alone.
 */
export async function openAnswers(
  place: AccessPlace,
  terminal: Terminal,
): Promise<{ readonly ask: (question: AuditQuestion) => Promise<AuditPage>; readonly close: () => void }> {
  if (place.stack !== undefined) {
    const { openQueriedAudit } = await import("../../lambda/aws/open-deployed-audit.ts");
    const { systemClock } = await import("../../lambda/runtime/system-clock.ts");
    const queried = await openQueriedAudit(place.stack, systemClock);
    if (queried !== undefined) return { ask: (question) => queried.query(question), close: () => {} };
    terminal.note("this deployment has no tables of its fetches: these are its changes");
  }
  const { log, close } = await openAudit(place, terminal);
  return { ask: (question) => log.query(question), close };
}

/** Who sits at this terminal, as the audit log names them: whoever has the data folder or AWS credentials may. */
export function actorHere({ stack }: AccessPlace): Actor {
  return {
    request: randomUUID(),
    subject: userName(),
    token: "",
    tenant: "",
    address: "",
    rule: stack === undefined ? "data-folder" : "aws-credentials",
  };
}

/** A user id without a name has none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
