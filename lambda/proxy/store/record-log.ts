import type { Tile } from "../../golang/tile.ts";
import type { ModuleVersion } from "./layout.ts";
import type { LogRecord, SignedHead } from "./log-store.ts";

/**
 * Our own checksum database as intake knows it: what enters it stays, and each module version enters once.
 *
 * On one machine it is the log itself; deployed, the call of the function that alone signs.
 */
export interface RecordLog {
  /**
   * Appends what is not in the log yet and returns the numbers, in their order, once a signed head covers them all. Doing it
   * again returns the same numbers, whatever failed in between.
   *
   * Throws `ServedError` "record-mismatch" when the log has other hashes of one of them (the others may be appended), and
   * "log-damaged", "log-shorter", "log-unsigned", "log-busy" or "store-failed": then the records may be in the log, but
   * nobody may rely on them yet.
   */
  append(records: readonly LogRecord[]): Promise<readonly bigint[]>;

  /** Leaves records to be appended in the background, durably. Those that are in the log already may be among them. */
  enqueue(records: readonly LogRecord[]): Promise<void>;
}

/** A record, and a signed head whose log has it: what a lookup is answered with. */
export interface LoggedRecord {
  readonly number: bigint;
  readonly text: Uint8Array;
  /** Of a size above `number`. */
  readonly head: SignedHead;
}

/**
 * Our own checksum database as those know it who only read it. Who may is not asked here.
 *
 * Throws `ServedError` "log-damaged" where rows do not lead to the signed head, and "store-failed".
 */
export interface RecordReads {
  /** The module version's record; `undefined` where it has none, or none yet that a signed head covers: then append it. */
  lookup(module: ModuleVersion): Promise<LoggedRecord | undefined>;

  /** The newest signed head; `undefined` before the first was signed. */
  head(): Promise<SignedHead | undefined>;

  /** The data of a tile of height 8, of hashes or (level -1) of records; `undefined` where the signed log has none. */
  tile(tile: Tile): Promise<Uint8Array | undefined>;
}
