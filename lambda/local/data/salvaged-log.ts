import type { DatabaseSync } from "node:sqlite";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** What of our own log can be read in a damaged index is taken over row by row, as it is: its hashes tell what is sound. */
export const logSalvages = [
  {
    read: "SELECT level, number, hashes, text, proof_number, proof_head FROM log_row",
    isSound: ({ level, number, hashes }: Row) =>
      typeof level === "number" && typeof number === "number" && hashes instanceof Uint8Array,
    write: `
      INSERT INTO log_row (level, number, hashes, text, proof_number, proof_head)
      VALUES (:level, :number, :hashes, :text, :proof_number, :proof_head)
      ON CONFLICT DO NOTHING`,
  },
  {
    read: "SELECT module, version, number FROM log_number",
    isSound: ({ module, version, number }: Row) =>
      typeof module === "string" && typeof version === "string" && typeof number === "number",
    write: `
      INSERT INTO log_number (module, version, number) VALUES (:module, :version, :number)
      ON CONFLICT DO NOTHING`,
  },
  {
    read: "SELECT module, version, zip, go_mod, proof_number, proof_head FROM log_pending",
    isSound: ({ module, version, zip, go_mod }: Row) =>
      [module, version, zip, go_mod].every((each) => typeof each === "string"),
    write: `
      INSERT INTO log_pending (module, version, zip, go_mod, proof_number, proof_head)
      VALUES (:module, :version, :zip, :go_mod, :proof_number, :proof_head)
      ON CONFLICT DO NOTHING`,
  },
  {
    read: "SELECT name, size, note FROM log_signed",
    isSound: ({ name, size, note }: Row) =>
      typeof name === "string" && typeof size === "number" && note instanceof Uint8Array,
    write: "INSERT INTO log_signed (name, size, note) VALUES (:name, :size, :note) ON CONFLICT DO NOTHING",
  },
  {
    read: "SELECT epoch, role, mode, size, root FROM log_head",
    isSound: ({ epoch, role, mode, size, root }: Row) =>
      typeof epoch === "number" &&
      (role === "primary" || role === "standby") &&
      (mode === "solo" || mode === "paired") &&
      typeof size === "number" &&
      root instanceof Uint8Array,
    write: `
      INSERT INTO log_head (id, epoch, role, mode, size, root) VALUES (1, :epoch, :role, :mode, :size, :root)
      ON CONFLICT DO NOTHING`,
  },
] as const;

type Row = Readonly<Record<string, unknown>>;

/**
 * Drops the log unless it is whole. Half of one could never be appended to; with none, it is refused under its name, whose
 * signed heads are larger, and begins anew under another. What was signed and what waits stays.
 */
export function dropBrokenLog({ durable }: IndexDatabase): void {
  attempt(() =>
    transact(durable, () => {
      if (!isWhole(durable)) durable.exec("DELETE FROM log_head; DELETE FROM log_row; DELETE FROM log_number");
    }),
  );
}

/** True when there is a number for each record, and a row for each record and each subtree of each level. */
function isWhole(database: DatabaseSync): boolean {
  const one = (query: string) => Number(Object.values(database.prepare(query).get() ?? {})[0] ?? 0);
  const size = one("SELECT size FROM log_head");
  if (one("SELECT count(*) FROM log_number") !== size) return false;
  let rows = 0;
  for (let level = 0, width = size; width > 0; level++, width = Math.floor(width / 256)) {
    rows += width;
    if (one(`SELECT count(*) FROM log_row WHERE level = ${level} AND number < ${width}`) !== width) return false;
  }
  return one("SELECT count(*) FROM log_row") === rows;
}
