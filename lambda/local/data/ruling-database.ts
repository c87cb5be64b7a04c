import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { ServedError } from "../../proxy/store/served-error.ts";
import { connect } from "./sqlite-connection.ts";
import { migrate } from "./sqlite-schema.ts";
import { isDamage } from "./storage-failure.ts";

/** The name of what is ruled, in a data folder: a file of its own, which nothing that mends the index touches. */
export const rulingFile = "rulings.sqlite";

const tables = `
  CREATE TABLE ruling (
    kind TEXT NOT NULL,
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    reason TEXT NOT NULL,
    until INTEGER,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    request TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, module, version)
  ) STRICT, WITHOUT ROWID;
`;

/** What leads from each version of the schema to the next, an empty file being version 0. What is here never changes. */
const migrations: readonly string[] = [tables];

/** Opens the rulings of a data folder, made where there are none. Throws `ServedError` "store-failed". */
export function openRulingDatabase(data: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const path = join(data, rulingFile);
    closeSync(openSync(path, "a", 0o600));
    database = connect(path, "FULL");
    migrate(database, migrations, () => unreadable("were made by a newer modfront: use that one"));
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof ServedError) throw error;
    const remedy = isDamage(error) ? `are damaged: restore ${rulingFile}` : "cannot be read";
    throw unreadable(remedy, error);
  }
}

function unreadable(why: string, cause?: unknown): ServedError {
  return new ServedError("store-failed", `the blocks and exceptions of the data folder ${why}`, { cause });
}
