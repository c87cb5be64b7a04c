import { textFields } from "./audit-event.ts";

// The tables in which SQL finds what was done in a deployment: lib/ makes them, and audit-sql.ts asks them.

/** A table over lines of JSON that lie in folders `year=2026/month=11/day=28`, which are its partitions. */
export interface AuditTable {
  readonly name: string;
  /** The keys of a line, all of them texts but `count`. */
  readonly columns: readonly string[];
}

/** The partitions of both tables, texts of digits: `"2026"`, `"11"`, `"28"`. */
export const partitions = ["year", "month", "day"] as const;

/** The changes: the events of the audit log, an object each. */
export const changesTable: AuditTable = { name: "changes", columns: ["time", ...textFields, "count"] };

/** The requests: the lines of CloudFront, in the field `viewer-request-log-data` with what the edge said of a fetch. */
export const requestsTable = {
  name: "requests",
  columns: [
    ...["date", "time", "timestamp(ms)", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs-uri-stem"],
    ...["sc-status", "x-edge-result-type", "x-edge-request-id", "time-taken", "cs-protocol-version"],
    ...["x-edge-detailed-result-type", "time-to-first-byte", "origin-fbl", "origin-lbl", "viewer-request-log-data"],
  ],
} as const satisfies AuditTable;

/** The database of both, and the workgroup that asks it, of the deployment `aws.name`. */
export function auditDatabase(deployment: string): string {
  return `${deployment.replaceAll("-", "_")}_audit`;
}

export function auditWorkgroup(deployment: string): string {
  return `${deployment}-audit`;
}
