import { isCodedError } from "../../golang/coded-error.ts";
import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LogRecord } from "../store/log-store.ts";
import type { RecordLog } from "../store/record-log.ts";

/** Milliseconds: until what came in is appended, so that many come together, and until a log that failed is tried again. */
const pauses = { first: 1_000, afterFailure: 30_000 } as const;

/** Records of one append: one transaction of the log. */
const atOnce = 25;

/** Records that wait in memory at most; of what is beyond it the next start finds that it is stored and not logged. */
const mostWaiting = 10_000;

export interface DeferredLogParts {
  readonly log: RecordLog;
  readonly clock: Pick<Clock, "after">;
  /** Told of what could not be appended: a record that contradicts one that stands, or a log that fails. */
  readonly failed: (error: unknown) => void;
}

/**
 * Our log, with what is left to the background waiting in memory, so that a fill does not wait for the disk once more.
 *
 * That is as durable as what it speaks of: a version that is stored and has no record is found at the next start.
 */
export class DeferredLog implements RecordLog {
  readonly #parts: DeferredLogParts;
  readonly #waiting = new Map<string, LogRecord>();
  #stopTimer: (() => void) | undefined;
  #flushing: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: DeferredLogParts) {
    this.#parts = parts;
  }

  append(records: readonly LogRecord[]): Promise<readonly bigint[]> {
    return this.#parts.log.append(records);
  }

  async enqueue(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      const key = nameOf(record.module);
      if (this.#waiting.size < mostWaiting && !this.#waiting.has(key)) this.#waiting.set(key, record);
    }
    this.#wake(pauses.first);
  }

  /** Appends what waits. What fails then is for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopTimer?.();
    await (this.#flushing ?? this.#flush());
  }

  #wake(pause: number): void {
    if (this.#stopped || this.#stopTimer !== undefined || this.#flushing !== undefined) return;
    this.#stopTimer = this.#parts.clock.after(pause, () => {
      this.#stopTimer = undefined;
      this.#flushing = this.#flush();
      void this.#flushing;
    });
  }

  async #flush(): Promise<void> {
    let works = true;
    while (works && this.#waiting.size > 0) works = await this.#appendSome();
    this.#flushing = undefined;
    if (this.#waiting.size > 0) this.#wake(pauses.afterFailure);
  }

  /** False when the log fails, whatever is appended. */
  async #appendSome(): Promise<boolean> {
    const batch = [...this.#waiting.values()].slice(0, atOnce);
    try {
      await this.append(batch);
      for (const { module } of batch) this.#waiting.delete(nameOf(module));
      return true;
    } catch {
      return await this.#appendEach(batch);
    }
  }

  /** Of a batch one record may contradict what stands, which the others have nothing to do with. */
  async #appendEach(batch: readonly LogRecord[]): Promise<boolean> {
    for (const record of batch) {
      try {
        await this.append([record]);
      } catch (error) {
        this.#parts.failed(error);
        if (!isCodedError(error, "record-mismatch")) return false;
      }
      this.#waiting.delete(nameOf(record.module));
    }
    return true;
  }
}

function nameOf({ path, version }: ModuleVersion): string {
  return `${path}@${version}`;
}
