import type { StatementSync } from "node:sqlite";
import { type LeaseState, type LeaseStore, parseFailure, type SharedFailure } from "../../proxy/store/lease-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the leases. Each is one transaction: SQLite lets one writer in at a time, over all processes. */
export const leaseStatements = {
  acquire: `
    INSERT INTO lease (name, fence, held_until) VALUES (:name, 1, :heldUntil)
    ON CONFLICT DO UPDATE
    SET fence = fence + 1, held_until = excluded.held_until, failure_code = NULL, failure_message = NULL
    WHERE held_until <= :now
    RETURNING fence, held_until, failure_code, failure_message`,
  renew: "UPDATE lease SET held_until = :heldUntil WHERE name = :name AND fence = :fence AND held_until > 0",
  release: `
    UPDATE lease SET held_until = 0, failure_code = :code, failure_message = :message
    WHERE name = :name AND fence = :fence AND held_until > 0`,
  read: "SELECT fence, held_until, failure_code, failure_message FROM lease WHERE name = ?",
} as const;

/** Leases in SQLite, over the processes of one machine. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #statements: Readonly<Record<keyof typeof leaseStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  constructor(database: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    this.#statements = {
      acquire: database.quick.prepare(leaseStatements.acquire),
      renew: database.quick.prepare(leaseStatements.renew),
      release: database.quick.prepare(leaseStatements.release),
      read: database.quick.prepare(leaseStatements.read),
    };
  }

  async acquire(name: string, now: number, heldUntil: number): Promise<LeaseState | undefined> {
    this.#failpoint("lease.acquire.before");
    // Not get(): it stops at the row, before the commit, and a commit that fails would go unnoticed.
    const [row] = attempt(() => this.#statements.acquire.all({ name, now, heldUntil }) as unknown as Row[]);
    this.#failpoint("lease.acquire.after");
    return row && state(row);
  }

  async renew(name: string, fence: number, heldUntil: number): Promise<boolean> {
    this.#failpoint("lease.renew.before");
    const { changes } = attempt(() => this.#statements.renew.run({ name, fence, heldUntil }));
    this.#failpoint("lease.renew.after");
    return changes === 1;
  }

  async release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    this.#failpoint("lease.release.before");
    const { code, message } = { code: failure?.code ?? null, message: failure?.message ?? null };
    attempt(() => this.#statements.release.run({ name, fence, code, message }));
    this.#failpoint("lease.release.after");
  }

  async read(name: string): Promise<LeaseState> {
    const [row] = attempt(() => this.#statements.read.all(name) as unknown as Row[]);
    return row === undefined ? { fence: 0, heldUntil: 0, failure: undefined } : state(row);
  }
}

interface Row {
  readonly fence: number;
  readonly held_until: number;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
}

function state(row: Row): LeaseState {
  const { fence, held_until: heldUntil, failure_code: code } = row;
  return { fence, heldUntil, failure: code === null ? undefined : parseFailure(code, row.failure_message ?? "") };
}
