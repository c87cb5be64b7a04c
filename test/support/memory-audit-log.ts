import type { AuditEvent } from "../../lambda/access/audit/audit-event.ts";
import {
  type AuditLog,
  type AuditPage,
  type AuditQuestion,
  fitsQuestion,
  unfinishedOf,
} from "../../lambda/access/audit/audit-log.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";

/** The audit log in memory. A place is time and number, as in SQLite. */
export class MemoryAuditLog implements AuditLog {
  readonly events: AuditEvent[] = [];

  async write(event: AuditEvent): Promise<void> {
    this.events.push(Object.freeze({ ...event }));
  }

  async query(question: AuditQuestion): Promise<AuditPage> {
    const { since, until, limit, after = "0.0" } = question;
    if (!/^\d+\.\d+$/.test(after)) throw new CodedError("bad-page", "after: this is no page of the audit log");
    const [time = 0, id = 0] = after.split(".").map(Number);
    const found = this.events
      .map((event, i) => ({ event, id: i + 1 }))
      .sort((a, b) => a.event.time - b.event.time || a.id - b.id)
      .filter((row) => row.event.time > time || (row.event.time === time && row.id > id))
      .filter(({ event }) => event.time >= since && event.time < until && fitsQuestion(event, question));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const events = page.map(({ event }) => event);
    return found.length > limit && last ? { events, next: `${last.event.time}.${last.id}` } : { events };
  }

  async unfinished(since: number): Promise<readonly AuditEvent[]> {
    return unfinishedOf(this.events.filter(({ time }) => time >= since));
  }
}
