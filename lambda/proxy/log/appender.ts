import { emptyHash, equalHashes } from "../../golang/tlog.ts";
import type { Clock } from "../store/clock.ts";
import { nextTurn } from "../store/in-turns.ts";
import type { ModuleVersion } from "../store/layout.ts";
import {
  type LogHead,
  type LogRecord,
  type LogStore,
  type PendingRecords,
  recordsOfCommit,
} from "../store/log-store.ts";
import { ServedError } from "../store/served-error.ts";
import { appended, type Frontier, type PlacedRow, treeOf } from "./growing-tree.ts";
import type { LogRows } from "./log-rows.ts";
import { type Pace, waitTurn } from "./pace.ts";
import { isRecord, recordKey, recordText } from "./record-text.ts";
import type { VerifiedHeads } from "./verified-heads.ts";

/** What the log says of a module version. */
export interface Standing {
  readonly number: bigint;
  readonly text: Uint8Array;
  /** True when it entered the log by this call, and not before or by somebody else. */
  readonly isNew: boolean;
}

/** By `recordKey`. */
export type Standings = ReadonlyMap<string, Standing>;

/** The head of a table that has none. */
export const firstHead: LogHead = { epoch: 1n, role: "primary", mode: "solo", size: 0n, root: emptyHash };

/** How often in a row a commit may fail: each time the records are looked for first, for it may have landed. */
const mostFailures = 3;

/**
 * Moves records into the log, those of other processes too: whoever wins takes along what the others left pending.
 *
 * Of two that read the same head one is committed, because the commit is conditioned on it; the other looks whether its
 * records were taken along, and tries again. What becomes of a commit whose answer was lost is decided in the same way.
 */
export class Appender {
  readonly #store: LogStore;
  readonly #pending: PendingRecords;
  readonly #rows: LogRows;
  readonly #heads: VerifiedHeads;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #pace: Pace;
  /** What waits and contradicts a record, which is not taken along again. */
  readonly #refused = new Set<string>();
  /** The log as this process saw it last. */
  #frontier: Frontier | undefined;
  /** The size below which the table cannot be, because so much was signed or seen. */
  #floor: bigint | undefined;

  constructor(parts: {
    readonly store: LogStore;
    readonly pending: PendingRecords;
    readonly rows: LogRows;
    readonly heads: VerifiedHeads;
    readonly clock: Pick<Clock, "sleep">;
    readonly pace: Pace;
  }) {
    this.#store = parts.store;
    this.#pending = parts.pending;
    this.#rows = parts.rows;
    this.#heads = parts.heads;
    this.#clock = parts.clock;
    this.#pace = parts.pace;
  }

  /**
   * What the log says of each of these once all are in it. Of a version that is in it already that may be something else.
   *
   * Throws `ServedError` "log-damaged", "log-shorter", "log-busy" and "store-failed".
   */
  async append(some: readonly LogRecord[]): Promise<Standings> {
    const records = distinct(some);
    const found = new Map(await this.#standings(records));
    let wanted = records.filter(({ module }) => !found.has(recordKey(module)));
    if (wanted.length > 0) await Promise.all([this.#pending.add(wanted), this.#wait(0)]);
    for (let lost = 0, failures = 0; ; lost++) {
      if (lost > 0) await this.#wait(lost);
      for (const [key, standing] of await this.#standings(wanted)) found.set(key, standing);
      for (;;) {
        wanted = wanted.filter(({ module }) => !found.has(recordKey(module)));
        if (wanted.length === 0) return found;
        try {
          const taken = await this.commit(wanted);
          if (taken === "lost") break;
          for (const [key, standing] of taken) found.set(key, standing);
          lost = failures = 0;
          await nextTurn();
        } catch (error) {
          if (!isLostAnswer(error) || ++failures === mostFailures) throw error;
          break;
        }
      }
      if (lost === this.#pace.patience) throw tooBusy();
    }
  }

  /**
   * Commits the first of these records, and of those that are pending as many as fit beside them: what the log says of them
   * then. "lost": nothing was written, because somebody else wrote first or some were in the log already.
   */
  async commit(own: readonly LogRecord[]): Promise<Standings | "lost"> {
    // First, so that the head, which is read after it, cannot be older than what was signed.
    const floor = await this.#lowest();
    const before = await this.#store.head();
    const head = before ?? firstHead;
    checkHead(head, floor);
    this.#raise(head.size);
    const [frontier, batch] = await Promise.all([this.#frontierOf(head), this.#batch(own)]);
    if (batch.length === 0) return new Map();
    const grown = grow(frontier, batch);
    const { n: size, hash: root } = treeOf(grown.frontier);
    const numbers = batch.map(({ module }, i) => ({ module, number: head.size + BigInt(i) }));
    const outcome = await this.#store.commit({ before, after: { ...head, size, root }, rows: grown.rows, numbers });
    if (outcome === "outgrown") return "lost";
    if (outcome !== "committed") {
      const logged = new Set(outcome.logged.map(recordKey));
      await this.settle(batch.filter(({ module }) => logged.has(recordKey(module))));
      return "lost";
    }
    this.#frontier = grown.frontier;
    this.#raise(size);
    return new Map(
      batch.map((record, i) => [
        recordKey(record.module),
        { number: head.size + BigInt(i), text: recordText(record), isNew: true },
      ]),
    );
  }

  /**
   * Lets those wait no longer whose record is in the log. Those of which it says something else are returned, and stay where
   * they wait, for the background to refuse them: nobody who could be told waits for them here.
   */
  async settle(waiting: readonly LogRecord[]): Promise<ReadonlyMap<LogRecord, Standing>> {
    const standings = await this.#standings(waiting);
    const settled: ModuleVersion[] = [];
    const refused = new Map<LogRecord, Standing>();
    for (const record of waiting) {
      const key = recordKey(record.module);
      const standing = standings.get(key);
      if (standing === undefined) continue;
      if (equalHashes(standing.text, recordText(record))) settled.push(record.module);
      else {
        this.#refused.add(key);
        refused.set(record, standing);
      }
    }
    await this.#pending.remove(settled);
    return refused;
  }

  #wait(lost: number): Promise<void> {
    return waitTurn(this.#pace, this.#clock, lost);
  }

  /** What the log cannot be smaller than. */
  async #lowest(): Promise<bigint> {
    if (this.#floor === undefined) this.#raise((await this.#heads.newest())?.size ?? 0n);
    return this.#floor ?? 0n;
  }

  #raise(size: bigint): void {
    if (this.#floor === undefined || size > this.#floor) this.#floor = size;
  }

  /** What the log consists of: remembered, or read and held against the root that the head says. */
  async #frontierOf({ size, root }: LogHead): Promise<Frontier> {
    const known = this.#frontier;
    if (known?.size === size && equalHashes(treeOf(known).hash, root)) return known;
    const frontier = await this.#rows.frontier(size);
    if (equalHashes(treeOf(frontier).hash, root)) return frontier;
    throw new ServedError(
      "log-damaged",
      "SECURITY ERROR: the rows of the log do not lead to the root that its head says",
    );
  }

  async #batch(own: readonly LogRecord[]): Promise<readonly LogRecord[]> {
    const mine = own.slice(0, recordsOfCommit);
    const others = mine.length < recordsOfCommit ? await this.#pending.first(recordsOfCommit) : [];
    const possible = others.filter((record) => isRecord(record) && !this.#refused.has(recordKey(record.module)));
    return distinct([...mine, ...possible]).slice(0, recordsOfCommit);
  }

  async #standings(records: readonly LogRecord[]): Promise<Standings> {
    const found = new Map<string, Standing>();
    for (let from = 0; from < records.length; from += recordsOfCommit) {
      const modules = records.slice(from, from + recordsOfCommit).map(({ module }) => module);
      const numbers = await this.#store.numbers(modules);
      const logged = modules.flatMap((module, i) => {
        const number = numbers[i];
        return number === undefined ? [] : [{ key: recordKey(module), number }];
      });
      const rows = await this.#rows.at(logged.map(({ number }) => ({ level: 0, number })));
      for (const [i, { key, number }] of logged.entries())
        found.set(key, { number, text: rows[i]?.text as Uint8Array, isNew: false });
    }
    return found;
  }
}

/** The first of those of one module version, as of what is pending. */
function distinct(records: readonly LogRecord[]): readonly LogRecord[] {
  const keys = new Set<string>();
  return records.filter(({ module }) => keys.size < keys.add(recordKey(module)).size);
}

/** A table that is behind what was signed is a restored one: what it would append was said of other records before. */
function checkHead({ role, mode, size }: LogHead, floor: bigint): void {
  if (role !== "primary" || mode !== "solo")
    throw new ServedError("store-failed", "the log of this region may not be appended to: another one is its primary");
  if (size < floor) throw shorterThan(floor, size);
}

function grow(frontier: Frontier, batch: readonly LogRecord[]) {
  const rows: PlacedRow[] = [];
  let grown = frontier;
  for (const record of batch) {
    const next = appended(grown, { text: recordText(record), proof: record.proof });
    rows.push(...next.rows);
    grown = next.frontier;
  }
  return { frontier: grown, rows };
}

function isLostAnswer(error: unknown): boolean {
  return error instanceof ServedError && error.code === "store-failed";
}

/** What is said to who lost every try. */
export function tooBusy(): ServedError {
  return new ServedError("log-busy", "the log was busy for too long: try again");
}

/** What is said of a table that has less than was signed. */
export function shorterThan(signed: bigint, size: bigint): ServedError {
  return new ServedError(
    "log-shorter",
    `SECURITY ERROR: the log has ${size} records, but ${signed} were signed: nothing is appended to it until they are ` +
      "there again, or the log has another name (log.name)",
  );
}
