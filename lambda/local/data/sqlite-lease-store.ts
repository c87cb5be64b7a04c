import type { StatementSync } from "node:sqlite";
import { type LeaseState, type LeaseStore, parseFailure, type SharedFailure } from "../../proxy/store/lease-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** How many leases are taken before a failure is forgotten: those who waited for it look four times a second. */
const keptFailures = 1_000;

/**
 * The statements of the leases. SQLite lets one writer in at a time, over all processes.
 *
 * One counter is for all names, so that no fence comes twice though the rows of finished leases go; `max` is for a process
 * of the version before, which counts by row. The condition of `prune` is that of the index `lease_failed`, word for word.
 */
export const leaseStatements = {
  acquire: `
    INSERT INTO lease (name, fence, held_until) SELECT :name, last + 1, :heldUntil FROM lease_fence WHERE id = 1
    ON CONFLICT DO UPDATE
    SET fence = max(excluded.fence, fence + 1), held_until = excluded.held_until, failure_code = NULL, failure_message = NULL
    WHERE held_until <= :now
    RETURNING fence, held_until, failure_code, failure_message`,
  count: "UPDATE lease_fence SET last = :fence WHERE id = 1",
  prune: `
    DELETE FROM lease WHERE name IN (
      SELECT name FROM lease
      WHERE held_until = 0 AND failure_code IS NOT 'store-failed' AND fence < :before
      ORDER BY fence LIMIT 4)`,
  renew: "UPDATE lease SET held_until = :heldUntil WHERE name = :name AND fence = :fence AND held_until > 0",
  finish: "DELETE FROM lease WHERE name = :name AND fence = :fence AND held_until > 0",
  fail: `
    UPDATE lease SET held_until = 0, failure_code = :code, failure_message = :message
    WHERE name = :name AND fence = :fence AND held_until > 0`,
  read: "SELECT fence, held_until, failure_code, failure_message FROM lease WHERE name = ?",
} as const;

/** Leases in SQLite, over the processes of one machine. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #statements: Readonly<Record<keyof typeof leaseStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  readonly #database: IndexDatabase["quick"];

  constructor({ quick }: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    this.#database = quick;
    this.#statements = {
      acquire: quick.prepare(leaseStatements.acquire),
      count: quick.prepare(leaseStatements.count),
      prune: quick.prepare(leaseStatements.prune),
      renew: quick.prepare(leaseStatements.renew),
      finish: quick.prepare(leaseStatements.finish),
      fail: quick.prepare(leaseStatements.fail),
      read: quick.prepare(leaseStatements.read),
    };
  }

  async acquire(name: string, now: number, heldUntil: number): Promise<LeaseState | undefined> {
    this.#failpoint("lease.acquire.before");
    const row = attempt(() => transact(this.#database, () => this.#take({ name, now, heldUntil })));
    this.#failpoint("lease.acquire.after");
    return row && state(row);
  }

  #take(wanted: { readonly name: string; readonly now: number; readonly heldUntil: number }): Row | undefined {
    const { acquire, count, prune } = this.#statements;
    const [row] = acquire.all(wanted) as unknown as Row[];
    if (row === undefined) return undefined;
    count.run({ fence: row.fence });
    prune.run({ before: row.fence - keptFailures });
    return row;
  }

  async renew(name: string, fence: number, heldUntil: number): Promise<boolean> {
    this.#failpoint("lease.renew.before");
    const { changes } = attempt(() => this.#statements.renew.run({ name, fence, heldUntil }));
    this.#failpoint("lease.renew.after");
    return changes === 1;
  }

  async release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    this.#failpoint("lease.release.before");
    const { finish, fail } = this.#statements;
    attempt(() => (failure === undefined ? finish.run({ name, fence }) : fail.run({ name, fence, ...failure })));
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
