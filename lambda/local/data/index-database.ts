import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { CodedError } from "../../golang/coded-error.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import { type Connections, connectTwice } from "./sqlite-connection.ts";
import { schemaVersion, transact } from "./sqlite-schema.ts";
import { attempt, damagedIndex, indexFailure, isDamage } from "./storage-failure.ts";

/** The name of the index in a data folder. */
export const indexFile = "index.sqlite";

// WITHOUT ROWID clusters rows by their key: the versions of one module lie side by side, and finding them costs the same
// among a thousand rows and among a million.
const tables = `
  CREATE TABLE version (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (module, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE memory (
    module TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    fresh_until INTEGER NOT NULL,
    forget_after INTEGER,
    PRIMARY KEY (module, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX memory_to_forget ON memory (forget_after) WHERE forget_after IS NOT NULL;
  CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    failure_code TEXT,
    failure_message TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lease_unfinished ON lease (name) WHERE held_until > 0 OR failure_code = 'store-failed';
  CREATE TABLE head (
    name TEXT NOT NULL PRIMARY KEY,
    note BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

// Columns are added with a default: a process of the version before, which still has the index open, goes on with it.
const rowsWithFacts = `
  ALTER TABLE version ADD COLUMN first_seen INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE version ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE fact (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    origin TEXT,
    zip_size INTEGER,
    zip_hash TEXT,
    go_mod_hash TEXT,
    licences TEXT,
    PRIMARY KEY (module, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE claim (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    zip TEXT NOT NULL,
    go_mod TEXT NOT NULL,
    info TEXT NOT NULL,
    PRIMARY KEY (module, version)
  ) STRICT, WITHOUT ROWID;
`;

// What a finished lease left behind is not needed any more; that the medium failed is, at the next start.
const finishedLeases = `
  CREATE TABLE lease_fence (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT;
  INSERT INTO lease_fence SELECT 1, coalesce(max(fence), 0) FROM lease;
  DELETE FROM lease WHERE held_until = 0 AND failure_code IS NOT 'store-failed';
  CREATE INDEX lease_failed ON lease (fence) WHERE held_until = 0 AND failure_code IS NOT 'store-failed';
`;

// Our own log. A row holds the hashes that its record or subtree completes, one after the other; log_signed is by the name
// of the log, for a new name begins with the rows that are there.
const ownLog = `
  CREATE TABLE log_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('primary', 'standby')),
    mode TEXT NOT NULL CHECK (mode IN ('solo', 'paired')),
    size INTEGER NOT NULL,
    root BLOB NOT NULL
  ) STRICT;
  CREATE TABLE log_row (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    text BLOB,
    proof_number INTEGER,
    proof_head BLOB,
    PRIMARY KEY (level, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE log_number (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (module, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE log_pending (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    zip TEXT NOT NULL,
    go_mod TEXT NOT NULL,
    proof_number INTEGER,
    proof_head BLOB,
    PRIMARY KEY (module, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE log_signed (
    name TEXT NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    note BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

// How many rows log_number has, so that each append sees whether somebody removed one: counting them takes the longer the
// more there are. Triggers lie in the file, so that they count whatever program it is that changes it.
const countedNumbers = `
  CREATE TABLE log_numbers (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;
  INSERT INTO log_numbers SELECT 1, count(*) FROM log_number;
  CREATE TRIGGER log_number_added AFTER INSERT ON log_number BEGIN UPDATE log_numbers SET count = count + 1; END;
  CREATE TRIGGER log_number_removed AFTER DELETE ON log_number BEGIN UPDATE log_numbers SET count = count - 1; END;
`;

/** What leads from each version of the schema to the next, an empty file being version 0. What is here never changes. */
const migrations: readonly string[] = [tables, rowsWithFacts, finishedLeases, ownLog, countedNumbers];

/** The application_id of an index that was made and not yet brought in line with the files, whoever died meanwhile. */
const unfilled = 1;

/**
 * The opened index of a data folder: one file, two connections.
 *
 * What was acknowledged to someone (a version, a head) is written through `durable`, which waits for the disk. Leases and
 * memories go through `quick`: a crash of the process keeps them, a power failure may lose the last of them, and nobody
 * who held one is left then. Both wait up to five seconds for another process, whose transactions take milliseconds.
 */
export interface IndexDatabase extends Connections {
  /** True when there was no index before, and until it was brought in line with the files. */
  readonly wantsReindex: boolean;
  /**
   * Throws `ServedError` "store-failed" when another file, or none, lies where this one was opened. What the log commits to
   * a file that nobody else finds would be a second log with the same key: a fork.
   */
  checkPlace(): void;
}

/**
 * Opens the index at `path`, made where there is none.
 *
 * Throws `CodedError` "index-damaged" when it is not a sound database (the whole file is checked, about 0.1 s for a
 * million versions and 0.3 s for their records in the log), "index-too-new" when a later modfront made it, `ServedError` "store-failed" when the medium fails.
 */
export function openIndexDatabase(path: string, failpoint: Failpoint = noFailpoint): IndexDatabase {
  try {
    const { prepared, ...connections } = connectTwice(path, (durable) => prepareSchema(durable, failpoint));
    return { ...connections, wantsReindex: prepared, checkPlace: placeCheck(path) };
  } catch (error) {
    if (isDamage(error)) throw new CodedError("index-damaged", damagedIndex, { cause: error });
    throw indexFailure(error);
  }
}

function placeCheck(path: string): () => void {
  const { dev, ino } = statSync(path);
  return () => {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present?.dev === dev && present.ino === ino) return;
    throw new ServedError("store-failed", "the index was replaced while modfront ran: start it again");
  };
}

/** Makes or migrates the tables; true while they are not in line with the files. */
function prepareSchema(database: DatabaseSync, failpoint: Failpoint): boolean {
  const before = schemaVersion(database);
  if (before > migrations.length) {
    throw new CodedError("index-too-new", "the index in the data folder was made by a newer modfront: use that one");
  }
  if (before === 0) {
    transact(database, () => {
      if (migrate(database, 0, migrations.length)) database.exec(`PRAGMA application_id = ${unfilled}`);
    });
    return isUnfilled(database);
  }
  const check = database.prepare("PRAGMA quick_check(1)").get();
  if (check?.quick_check !== "ok") throw new CodedError("index-damaged", damagedIndex);
  for (let from = before; from < migrations.length; from++) {
    failpoint("index.migrate.before");
    transact(database, () => {
      migrate(database, from, from + 1);
      failpoint("index.migrate.written");
    });
    failpoint("index.migrate.after");
  }
  return isUnfilled(database);
}

function isUnfilled(database: DatabaseSync): boolean {
  return database.prepare("PRAGMA application_id").get()?.application_id === unfilled;
}

/** Says that the index is in line with the files. */
export function markFilled({ durable }: Pick<IndexDatabase, "durable">): void {
  attempt(() => durable.exec("PRAGMA application_id = 0"));
}

/** Takes the schema from one version to another, in a transaction; false when another process was quicker. */
function migrate(database: DatabaseSync, from: number, to: number): boolean {
  if (schemaVersion(database) !== from) return false;
  for (const statements of migrations.slice(from, to)) database.exec(statements);
  database.exec(`PRAGMA user_version = ${to}`);
  return true;
}
