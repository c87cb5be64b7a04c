import { type AuditEvent, blankEvent } from "./audit-event.ts";
import type { AuditLog } from "./audit-log.ts";

/** Milliseconds, and how many events are written in that time. */
const interval = 60_000;
const most = 20;

/**
 * Refused requests, written down one by one where nothing stays in memory for long: so many a minute of each process, since
 * whoever has a token can send as many as they want. The others are counted, in an event of the next minute.
 *
 * Nobody waits for one that cannot be written: the request is refused all the same.
 */
export class LimitedRefusals {
  readonly #log: Pick<AuditLog, "write">;
  #until = Number.NEGATIVE_INFINITY;
  #left = most;
  #others = 0;

  constructor(log: Pick<AuditLog, "write">) {
    this.#log = log;
  }

  async write(event: AuditEvent): Promise<void> {
    const written: AuditEvent[] = [];
    if (event.time >= this.#until) {
      if (this.#others > 0) written.push(this.#other(event));
      [this.#until, this.#left, this.#others] = [event.time + interval, most, 0];
    }
    if (this.#left-- > 0) written.push(event);
    else this.#others++;
    await Promise.all(written.map((each) => this.#log.write(each).catch(() => {})));
  }

  #other({ time }: AuditEvent): AuditEvent {
    return { ...blankEvent, action: "request.other", time, decision: "refused", count: this.#others };
  }
}
