import { DatabaseSync } from "node:sqlite";
import type { IndexDatabase } from "./index-database.ts";
import { dropBrokenLog, logSalvages } from "./salvaged-log.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

interface Salvage {
  readonly read: string;
  /** Whether what a damaged page gave can be what was written. */
  readonly isSound: (row: Readonly<Record<string, unknown>>) => boolean;
  readonly write: string;
}

/** What no file of the folder can tell: what was decided of versions, when they were first seen, and claims. */
const salvages: readonly Salvage[] = [
  {
    read: "SELECT module, version, first_seen, flags FROM version",
    isSound: ({ first_seen, flags }) => typeof first_seen === "number" && typeof flags === "number",
    write: `
      UPDATE version SET first_seen = :first_seen, flags = :flags
      WHERE module = :module AND version = :version`,
  },
  {
    read: "SELECT module, version, origin, zip_size, zip_hash, go_mod_hash, licences FROM fact",
    isSound: ({ origin, zip_size, zip_hash, go_mod_hash, licences }) =>
      [origin, licences].every((text) => text === null || typeof text === "string") &&
      [zip_hash, go_mod_hash].every((hash) => hash === null || isHash(hash)) &&
      (zip_size === null || typeof zip_size === "number"),
    write: `
      INSERT INTO fact (module, version, origin, zip_size, zip_hash, go_mod_hash, licences)
      SELECT :module, :version, :origin, :zip_size, :zip_hash, :go_mod_hash, :licences
      WHERE EXISTS (SELECT 1 FROM version WHERE module = :module AND version = :version)
      ON CONFLICT DO NOTHING`,
  },
  {
    read: "SELECT module, version, zip, go_mod, info FROM claim",
    isSound: ({ module, version, zip, go_mod, info }) =>
      typeof module === "string" &&
      typeof version === "string" &&
      isHash(zip) &&
      isHash(go_mod) &&
      /^[0-9a-f]{64}$/.test(String(info)),
    write: `
      INSERT INTO claim (module, version, zip, go_mod, info) VALUES (:module, :version, :zip, :go_mod, :info)
      ON CONFLICT DO NOTHING`,
  },
];

/** SHA-256 in base64, as x/mod dirhash writes it. */
function isHash(text: unknown): boolean {
  return /^h1:[A-Za-z0-9+/]{43}=$/.test(String(text));
}

/** Brings what can still be read in the damaged index at `path` into a new one, which has the versions already. */
export function salvageRows(path: string, database: IndexDatabase): void {
  salvage(path, database, salvages);
}

/** The same of our own log, all of it or nothing. */
export function salvageLog(path: string, database: IndexDatabase): void {
  salvage(path, database, logSalvages);
  dropBrokenLog(database);
}

function salvage(path: string, database: IndexDatabase, rows: readonly Salvage[]): void {
  for (const { read, isSound, write } of rows) {
    const insert = attempt(() => database.durable.prepare(write));
    attempt(() =>
      transact(database.durable, () => {
        for (const row of readableRows(path, read))
          if (isSound(row)) insert.run(row as Record<string, string | number | Uint8Array | null>);
      }),
    );
  }
}

/** The rows up to the first that is damaged. */
function* readableRows(path: string, read: string): Iterable<Readonly<Record<string, unknown>>> {
  let damaged: DatabaseSync | undefined;
  try {
    damaged = new DatabaseSync(path, { readOnly: true });
    for (const row of damaged.prepare(read).iterate()) yield row;
  } catch {
    // No table, or no sound page of it: what was read so far is all there is.
  } finally {
    damaged?.close();
  }
}
