import { CodedError } from "../../golang/coded-error.ts";
import { type Connections, connectTwice } from "./sqlite-connection.ts";
import { migrate } from "./sqlite-schema.ts";
import { indexFailure, isDamage } from "./storage-failure.ts";

/** The name of the audit log in a data folder: a file of its own, which nothing that mends the index touches. */
export const auditFile = "audit.sqlite";

// Rows are only added: what would change one, or take away one that is younger than the retention says, is refused by the
// database itself, whatever code asks.
const tables = `
  CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    request TEXT NOT NULL,
    subject TEXT NOT NULL,
    token TEXT NOT NULL,
    tenant TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    decision TEXT NOT NULL,
    rule TEXT NOT NULL,
    count INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX event_time ON event (time);
  CREATE INDEX event_module ON event (module, time) WHERE module <> '';
  CREATE INDEX event_change ON event (time) WHERE decision IN ('intended', 'done', 'failed');
  CREATE TABLE retention (id INTEGER PRIMARY KEY CHECK (id = 1), forget_before INTEGER NOT NULL) STRICT;
  INSERT INTO retention VALUES (1, 0);
  CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
  CREATE TRIGGER event_is_kept BEFORE DELETE ON event
    WHEN old.time >= (SELECT forget_before FROM retention)
    BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
`;

/** What leads from each version of the schema to the next, an empty file being version 0. What is here never changes. */
const migrations: readonly string[] = [tables];

/** The opened audit log: changes go through `durable`, fetches through `quick`. */
export type AuditDatabase = Connections;

/**
 * Opens the audit log at `path`, made where there is none.
 *
 * Throws `CodedError` "audit-damaged" when it is not a sound database, "audit-too-new" when a later modfront made it,
 * `ServedError` "store-failed" when the medium fails.
 */
export function openAuditDatabase(path: string): AuditDatabase {
  try {
    return connectTwice(path, (durable) => migrate(durable, migrations, tooNew));
  } catch (error) {
    if (isDamage(error)) throw new CodedError("audit-damaged", damaged, { cause: error });
    throw indexFailure(error);
  }
}

const damaged = `the audit log in the data folder is damaged: restore ${auditFile}, or move it away to begin a new one`;

function tooNew(): CodedError {
  return new CodedError("audit-too-new", "the audit log in the data folder was made by a newer modfront: use that one");
}
