import type { StatementSync } from "node:sqlite";
import { setImmediate as otherWork } from "node:timers/promises";
import { type AuditEvent, textFields } from "../../access/audit/audit-event.ts";
import {
  type AuditLog,
  type AuditPage,
  type AuditQuestion,
  fitsQuestion,
  unfinishedOf,
} from "../../access/audit/audit-log.ts";
import { CodedError } from "../../golang/coded-error.ts";
import type { AuditDatabase } from "./audit-database.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

const columns = ["time", ...textFields, "count"].join(", ");
const values = ["time", ...textFields, "count"].map((name) => `:${name}`).join(", ");

/** The statements of the audit log, named so that a test can ask SQLite how it carries them out. */
export const auditStatements = {
  write: `INSERT INTO event (${columns}) VALUES (${values})`,
  slice: `SELECT id, ${columns} FROM event
    WHERE (time, id) > (:time, :id) AND time < :until ORDER BY time, id LIMIT :limit`,
  ofModule: `SELECT id, ${columns} FROM event
    WHERE module = :module AND module <> '' AND (time, id) > (:time, :id) AND time < :until
    ORDER BY time, id LIMIT :limit`,
  changes: `SELECT id, ${columns} FROM event WHERE decision IN ('intended', 'done', 'failed') AND time >= ?
    ORDER BY time, id`,
  retention: "UPDATE retention SET forget_before = max(forget_before, ?)",
  forget: `DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time < ? ORDER BY time LIMIT ?)`,
} as const;

/** Rows that are read, written or removed at once: a few milliseconds of the event loop. */
const slice = 1000;
/** Slices that are read for one page: with what takes longer the page ends, and says where the next begins. */
const mostSlices = 50;

/** The audit log of one machine in SQLite. */
export class SqliteAuditLog implements AuditLog {
  readonly #database: AuditDatabase;
  readonly #durable: StatementSync;
  readonly #quick: Readonly<Record<keyof typeof auditStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  constructor(database: AuditDatabase, failpoint: Failpoint = noFailpoint) {
    this.#database = database;
    this.#failpoint = failpoint;
    this.#durable = database.durable.prepare(auditStatements.write);
    const prepare = ([name, text]: [string, string]) => [name, database.quick.prepare(text)];
    this.#quick = Object.fromEntries(Object.entries(auditStatements).map(prepare));
  }

  async write(event: AuditEvent): Promise<void> {
    this.#failpoint("audit.write.before");
    attempt(() => this.#durable.run({ ...event }));
    this.#failpoint("audit.write.after");
  }

  /** Keeps events that a loss of power may take away; a crash of the process does not. */
  async writeMany(events: readonly AuditEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += slice) {
      if (from > 0) await otherWork();
      const some = events.slice(from, from + slice);
      attempt(() =>
        transact(this.#database.quick, () => {
          for (const event of some) this.#quick.write.run({ ...event });
        }),
      );
    }
  }

  async query(question: AuditQuestion): Promise<AuditPage> {
    const { module, since, until, limit } = question;
    const statement = module === undefined || module === "" ? this.#quick.slice : this.#quick.ofModule;
    const named = statement === this.#quick.ofModule ? { module: module as string } : {};
    const events: AuditEvent[] = [];
    let at = parsePlace(question.after);
    if (at.time < since) at = { time: since, id: 0 };
    for (let slices = 1; ; slices++) {
      const rows = attempt(() => statement.all({ ...named, ...at, until, limit: slice })) as unknown as Row[];
      for (const row of rows) {
        const { id, ...event } = row;
        at = { time: row.time, id };
        if (!fitsQuestion(event, question)) continue;
        events.push(event);
        if (events.length === limit) return { events, next: `${at.time}.${at.id}` };
      }
      if (rows.length < slice) return { events };
      if (slices === mostSlices) return { events, next: `${at.time}.${at.id}` };
      await otherWork();
    }
  }

  async unfinished(since: number): Promise<readonly AuditEvent[]> {
    const rows = attempt(() => this.#quick.changes.all(since)) as unknown as Row[];
    return unfinishedOf(rows.map(({ id, ...event }) => event));
  }

  /** Removes what is older, a slice at a time. */
  async forget(before: number): Promise<void> {
    attempt(() => this.#quick.retention.run(before));
    for (;;) {
      const { changes } = attempt(() => this.#quick.forget.run(before, slice));
      if (changes < slice) return;
      await otherWork();
    }
  }
}

interface Row extends AuditEvent {
  readonly id: number;
}

/** A place is the time and the number of the last event: `"1764288000000.17"`. */
function parsePlace(text: string | undefined): { readonly time: number; readonly id: number } {
  const [, time, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(text ?? "0.0") ?? [];
  if (time === undefined || id === undefined)
    throw new CodedError("bad-page", "after: this is no page of the audit log");
  return { time: Number(time), id: Number(id) };
}
