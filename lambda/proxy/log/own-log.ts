import { equalHashes } from "../../golang/tlog.ts";
import type { Clock } from "../store/clock.ts";
import { nextTurn } from "../store/in-turns.ts";
import type { LogSigner } from "../store/log-signer.ts";
import {
  type LogMending,
  type LogRecord,
  type LogStore,
  type PendingRecords,
  recordsOfCommit,
  type SignedHead,
  type SignedHeads,
} from "../store/log-store.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { RecordLog } from "../store/record-log.ts";
import { ServedError } from "../store/served-error.ts";
import { Appender, type Standing, type Standings, tooBusy } from "./appender.ts";
import { HeadSigning } from "./head-signing.ts";
import { LogRows } from "./log-rows.ts";
import { LogTiles } from "./log-tiles.ts";
import { MendedNumbers } from "./mended-numbers.ts";
import { type Pace, usualPace, waitTurn } from "./pace.ts";
import { RecordCopies } from "./record-copies.ts";
import { isRecord, recordKey, recordText } from "./record-text.ts";
import { type Restored, restoreLog } from "./restored-log.ts";
import { Rounds } from "./rounds.ts";
import { VerifiedHeads } from "./verified-heads.ts";

/** How often who was taken along looks for the signature of who appended, before he asks for one himself. */
const looks = 5;

/** What the log stands on. */
export interface OwnLogParts {
  readonly store: LogStore;
  readonly pending: PendingRecords;
  readonly heads: SignedHeads;
  /** Where the copies of what was signed lie. */
  readonly files: ModuleStore;
  readonly signer: LogSigner;
  readonly clock: Pick<Clock, "sleep">;
  readonly pace?: Pace;
  /** Whether records are copied among the files too, so that `restore` can make the table anew. */
  readonly copies?: boolean;
  /** What `restore` mends the table with that hands have changed. */
  readonly mending?: LogMending;
}

/**
 * Our own checksum database, in the process that signs it: one append-only Merkle log with the records of sum.golang.org.
 *
 * What is appended at the same moment becomes one transaction and one signature, within a process by taking turns and among
 * processes because whoever wins takes along what the others left pending.
 */
export class OwnLog implements RecordLog {
  readonly #pending: PendingRecords;
  readonly #appender: Appender;
  readonly #heads: VerifiedHeads;
  readonly #appends: Rounds<LogRecord, Standings>;
  readonly #signings: Rounds<never, SignedHead>;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #pace: Pace;
  readonly #restore: () => Promise<Restored>;
  /** `"name+hash+key"`: what follows `GOSUMDB=`. */
  readonly verifierKey: string;

  constructor({ store, pending, heads, files, signer, clock, pace = usualPace, ...parts }: OwnLogParts) {
    const rows = new LogRows(store, clock);
    const verified = new VerifiedHeads(heads, files, signer.verifierKey);
    const appender = new Appender({ store, pending, rows, heads: verified, clock, pace });
    const { name } = verified;
    const copies = parts.copies
      ? new RecordCopies({ files, name, rows, tiles: new LogTiles(rows, files, name) })
      : undefined;
    const signing = new HeadSigning(store, rows, verified, { signer, copies });
    const numbers = new MendedNumbers(parts.mending, rows);
    this.#restore = async () =>
      copies ? await restoreLog({ store, heads: verified, copies, numbers }) : { kind: "whole" };
    this.#pending = pending;
    this.#appender = appender;
    this.#heads = verified;
    this.#appends = new Rounds((records) => appender.append(records));
    this.#signings = new Rounds(() => signing.sign());
    this.#clock = clock;
    this.#pace = pace;
    this.verifierKey = signer.verifierKey;
  }

  async append(records: readonly LogRecord[]): Promise<readonly bigint[]> {
    if (records.length === 0) return [];
    const texts = records.map(recordText);
    const all = await this.#appends.join(records);
    const standings = records.map(({ module }) => all.get(recordKey(module)) as Standing);
    await this.#cover(standings);
    return records.map((record, i) => {
      const standing = standings[i] as Standing;
      if (!equalHashes(standing.text, texts[i] as Uint8Array)) throw mismatch(record, standing);
      return standing.number;
    });
  }

  async enqueue(records: readonly LogRecord[]): Promise<void> {
    records.forEach(recordText);
    await this.#pending.add(records);
  }

  /**
   * Appends all that is pending and signs; returns how many records that were. For the background, beside others too.
   *
   * Throws what `append` throws: "record-mismatch" when all others are appended and what contradicts a record waits no longer;
   * "log-damaged" also for a pending row that is no record.
   */
  async drain(signal?: AbortSignal): Promise<number> {
    let moved = 0;
    let refusal: ServedError | undefined;
    for (let lost = 0; ; ) {
      signal?.throwIfAborted();
      const waiting = await this.#pending.first(recordsOfCommit);
      if (waiting.length === 0) break;
      if (!waiting.every(isRecord))
        throw new ServedError("log-damaged", "SECURITY ERROR: what waits to enter the log is no record");
      for (const [record, standing] of await this.#appender.settle(waiting)) {
        refusal ??= mismatch(record, standing);
        await this.#pending.remove([record.module]);
      }
      const taken = await this.#appender.commit([]);
      if (taken !== "lost") moved += taken.size;
      lost = taken === "lost" ? lost + 1 : 0;
      if (lost > this.#pace.patience) throw tooBusy();
      await (lost > 0 ? waitTurn(this.#pace, this.#clock, lost) : nextTurn());
    }
    await this.sign();
    if (refusal !== undefined) throw refusal;
    return moved;
  }

  /** Who appended signs; who was taken along looks first whether that is done, so that of many who come at once few sign. */
  async #cover(standings: readonly Standing[]): Promise<void> {
    for (let look = 0; look < looks && !standings.some(({ isNew }) => isNew); look++) {
      if (look > 0) await waitTurn(this.#pace, this.#clock, look);
      const head = await this.#heads.read();
      if (head !== undefined && standings.every(({ number }) => number < head.size)) return;
    }
    await this.sign();
  }

  /** Makes anew what was signed and is not in the table, where copies of the records allow it. Before anything is appended. */
  restore(): Promise<Restored> {
    return this.#restore();
  }

  /** Signs what the log is now, unless that was signed; so that there is a head before the first record. */
  sign(): Promise<SignedHead> {
    return this.#signings.join([]);
  }
}

/** The record stands for ever, so whoever has other bytes under that version is refused, and told of both. */
function mismatch(record: LogRecord, standing: Standing): ServedError {
  const { path, version } = record.module;
  const [zip, goMod] = Buffer.from(standing.text)
    .toString()
    .split("\n")
    .map((line) => line.split(" ").at(-1));
  const message =
    `SECURITY ERROR: ${path}@${version} has other bytes than its record in the log: the record says ` +
    `${zip} and go.mod ${goMod}, not ${record.zip} and go.mod ${record.goMod}`;
  return new ServedError("record-mismatch", message);
}
