import type { DatabaseSync } from "node:sqlite";

/** Runs `work` in one transaction that takes the write lock at once. It must not wait for anything. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Takes the tables through what leads from each version of the schema to the next, an empty file being version 0, in one
 * transaction. Throws what `tooNew` makes when the file has a version that is not known yet.
 */
export function migrate(database: DatabaseSync, migrations: readonly string[], tooNew: () => Error): void {
  if (schemaVersion(database) === migrations.length) return;
  transact(database, () => {
    const before = schemaVersion(database);
    if (before > migrations.length) throw tooNew();
    for (const statements of migrations.slice(before)) database.exec(statements);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** How many migrations the file has behind it. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}
