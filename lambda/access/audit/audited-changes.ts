import { type AuditEvent, blankEvent } from "./audit-event.ts";
import type { AuditLog } from "./audit-log.ts";

/** Who changes something, and by what right. */
export type Actor = Pick<AuditEvent, "request" | "subject" | "token" | "tenant" | "address" | "rule">;

/** What is changed, by fields of the event. */
export type Changed = Partial<Pick<AuditEvent, "tenant" | "module" | "version" | "target">>;

/** The audit log; who only changes and never settles need not be able to read it. */
type ChangesLog = Pick<AuditLog, "write"> & Partial<Pick<AuditLog, "unfinished">>;

/** Tells of an intended change whether it happened; undefined where that cannot be known. */
export type Happened = (event: AuditEvent) => Promise<boolean | undefined>;

/** Milliseconds after which whoever intended a change has done it, or died at it. */
const longestChange = 60_000;
/** Milliseconds: an older change has been settled, or never can be. */
const oldestChange = 2 * 86_400_000;

/**
 * Changes that are in the audit log before they happen: as `intended`, and when they have as `done`.
 *
 * A process that dies between the two leaves the first, and `settle` finds out later what became of the change. One that
 * dies before the first has changed nothing: there is no change without its event, and the event that stands alone for a
 * while is not taken for a change.
 */
export class AuditedChanges {
  readonly #log: ChangesLog;
  readonly #now: () => number;
  #settledAt = Number.NEGATIVE_INFINITY;

  /** `now` in milliseconds. */
  constructor(log: ChangesLog, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * Returns what `change` returns, which must call `intend` before it changes anything, and change nothing when that
   * rejects. Whatever it throws may have come after the change: how that ended `settle` finds out, unless `isRefusal` says of
   * it that nothing was changed.
   */
  async run<Result>(
    actor: Actor,
    action: string,
    change: (intend: (changed: Changed) => Promise<void>) => Promise<Result>,
    isRefusal: (error: unknown) => boolean = () => false,
  ): Promise<Result> {
    let intended: AuditEvent | undefined;
    const conclude = async (decision: "done" | "failed") => {
      // What has happened is told, whether or not it can be written down now.
      if (intended !== undefined) await this.#log.write({ ...intended, time: this.#now(), decision }).catch(() => {});
    };
    const changing = change(async (changed) => {
      // Who finds that another writer was faster begins again.
      if (intended !== undefined) return;
      const event = { ...blankEvent, ...actor, ...changed, action, time: this.#now(), decision: "intended" } as const;
      await this.#log.write(event);
      intended = event;
    });
    const result = await changing.catch(async (error: unknown) => {
      if (isRefusal(error)) await conclude("failed");
      throw error;
    });
    await conclude("done");
    return result;
  }

  /** As `settle`, where that was not begun within so many milliseconds: for whoever is asked often. */
  async settleAgain(happened: Happened, interval: number): Promise<void> {
    if (this.#now() < this.#settledAt + interval) return;
    await this.settle(happened);
  }

  /** Writes down how the changes ended that were intended and of which nothing more is known. Returns how many. */
  async settle(happened: Happened): Promise<number> {
    const now = this.#now();
    this.#settledAt = now;
    let settled = 0;
    for (const event of (await this.#log.unfinished?.(now - oldestChange)) ?? []) {
      if (event.time > now - longestChange) continue;
      const did = await happened(event);
      if (did === undefined) continue;
      await this.#log.write({ ...event, time: now, decision: did ? "done" : "failed", rule: "settled" });
      settled++;
    }
    return settled;
  }
}
