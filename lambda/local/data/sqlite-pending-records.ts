import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import type { LogRecord, PendingRecords } from "../../proxy/store/log-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { logStatements, type ProofColumns, parseProof } from "./sqlite-log-store.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of what waits. */
export const pendingStatements = {
  add: `
    INSERT INTO log_pending (module, version, zip, go_mod, proof_number, proof_head)
    VALUES (:path, :version, :zip, :goMod, :proofNumber, :proofHead)
    ON CONFLICT DO NOTHING`,
  first: `
    SELECT module, version, zip, go_mod, proof_number, proof_head FROM log_pending
    ORDER BY module, version LIMIT ?`,
} as const;

/** What waits for the log, in SQLite beside it, on the connection that waits for the disk. */
export class SqlitePendingRecords implements PendingRecords {
  readonly #add: StatementSync;
  readonly #first: StatementSync;
  readonly #remove: StatementSync;
  readonly #database: DatabaseSync;
  readonly #failpoint: Failpoint;

  constructor({ durable }: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#database = durable;
    this.#failpoint = failpoint;
    this.#add = durable.prepare(pendingStatements.add);
    this.#first = durable.prepare(pendingStatements.first);
    this.#remove = durable.prepare(logStatements.removePending);
  }

  async add(records: readonly LogRecord[]): Promise<void> {
    this.#failpoint("pending.add.before");
    attempt(() =>
      transact(this.#database, () => {
        for (const { module, zip, goMod, proof } of records) {
          const proved = { proofNumber: proof?.number ?? null, proofHead: proof?.head ?? null };
          this.#add.run({ path: module.path, version: module.version, zip, goMod, ...proved });
        }
      }),
    );
    this.#failpoint("pending.add.after");
  }

  async first(limit: number): Promise<readonly LogRecord[]> {
    return attempt(() => (this.#first.all(limit) as unknown as Row[]).map(parseRecord));
  }

  async remove(modules: readonly ModuleVersion[]): Promise<void> {
    this.#failpoint("pending.remove.before");
    attempt(() =>
      transact(this.#database, () => {
        for (const { path, version } of modules) this.#remove.run(path, version);
      }),
    );
    this.#failpoint("pending.remove.after");
  }
}

interface Row extends ProofColumns {
  readonly module: string;
  readonly version: string;
  readonly zip: string;
  readonly go_mod: string;
}

function parseRecord(row: Row): LogRecord {
  const module = { path: row.module, version: row.version };
  return { module, zip: row.zip, goMod: row.go_mod, proof: parseProof(row) };
}
