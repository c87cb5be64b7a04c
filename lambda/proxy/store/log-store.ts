import type { ModuleVersion } from "./layout.ts";

/**
 * What the log of this installation is, said in one row that each append replaces.
 *
 * A table that has none yet holds the empty log. Epoch, role and mode are for two regions: who may append is the `primary`;
 * `solo` means that no other region has to agree. One region is epoch 1, primary, solo.
 */
export interface LogHead {
  readonly epoch: bigint;
  readonly role: "primary" | "standby";
  readonly mode: "solo" | "paired";
  /** How many records there are. */
  readonly size: bigint;
  /** The hash of the tree of that size (RFC 6962 section 2.1). */
  readonly root: Uint8Array;
}

/** How sum.golang.org's log proved the hashes of a public version, kept so that a fork of it can be followed. */
export interface RecordProof {
  /** The record's number there. */
  readonly number: bigint;
  /** The signed head that includes it. */
  readonly head: Uint8Array;
}

/** A record that is to enter the log, or did: what a version's zip and go.mod are, for ever. */
export interface LogRecord {
  readonly module: ModuleVersion;
  /** `"h1:…"` of the zip's files. */
  readonly zip: string;
  /** `"h1:…"` of go.mod. */
  readonly goMod: string;
  /** Of a public version; a private one enters by its claim. */
  readonly proof: RecordProof | undefined;
}

/** The place of a row: level 0 has a row for each record, level k one for each complete subtree of height 8k. */
export interface LogPlace {
  readonly level: number;
  readonly number: bigint;
}

/** What is kept at a place, never changed. */
export interface LogRow {
  /**
   * At 0 the hash of the record or subtree itself; at j, up to 7, the hash of the subtree j levels above it whose last it is.
   * Row n has one more than the number n & 255 has ones at its low end, but 8 at most.
   */
  readonly hashes: readonly Uint8Array[];
  /** The record's text, at level 0 only. */
  readonly text: Uint8Array | undefined;
  /** The record's proof, at level 0 only. */
  readonly proof: RecordProof | undefined;
}

/** One append: everything in it is written, or nothing. */
export interface LogCommit {
  /** The head it was computed from; `undefined` when there was none. */
  readonly before: LogHead | undefined;
  readonly after: LogHead;
  /** The new records' rows and those of the subtrees they complete. */
  readonly rows: readonly (LogPlace & LogRow)[];
  /** The new records' numbers, by module version: 1 to `recordsOfCommit` of them. Their pending rows are removed. */
  readonly numbers: readonly { readonly module: ModuleVersion; readonly number: bigint }[];
}

/** As many as fit into the 100 items of one transaction of DynamoDB: 3 items each, the head and 3 subtrees are 79. */
export const recordsOfCommit = 25;

/**
 * How a commit ended. "outgrown": nothing was written, because the head is not `before` any more (or another commit is
 * under way). `logged`: nothing was written, because these module versions have a record already.
 */
export type CommitOutcome = "committed" | "outgrown" | { readonly logged: readonly ModuleVersion[] };

/**
 * The rows of our own checksum database, in a table that no other region writes to (docs/decisions/log-table.md).
 *
 * `commit` is serialisable across processes and restarts, and durable once it returned. Reads see every commit that returned
 * before they began. A read that overlaps a commit may see its head before its rows: who finds nothing below the size of a
 * head reads again. Nothing that was written is changed or removed but the head. Failures of the medium are `ServedError`
 * "store-failed", and after one of `commit` it may have landed all the same. All methods may be called concurrently.
 */
export interface LogStore {
  /** The present head. */
  head(): Promise<LogHead | undefined>;

  /**
   * Writes an append in one transaction, under the condition that `before`'s epoch and size are the present ones. A row that
   * is there already is `ServedError` "log-damaged", and stays as it is: somebody has changed the head by hand.
   */
  commit(commit: LogCommit): Promise<CommitOutcome>;

  /** The number of each module version's record, `undefined` where it has none; up to 100 of them. */
  numbers(modules: readonly ModuleVersion[]): Promise<readonly (bigint | undefined)[]>;

  /** The row at each place, up to 100 of them; `undefined` where there is none. */
  rows(places: readonly LogPlace[]): Promise<readonly (LogRow | undefined)[]>;

  /**
   * The rows of one level from number `from` (inclusive) to `to` (exclusive), which differ in their last eight bits only:
   * what a tile is made of, in one Query. As many as numbers, `undefined` where there is none.
   */
  range(level: number, from: bigint, to: bigint): Promise<readonly (LogRow | undefined)[]>;
}

/** What the table of one machine can do about hands that changed it. Consistency and failures are those of `LogStore`. */
export interface LogMending {
  /** Gives these records their numbers, but for module versions that have one. */
  addNumbers(numbers: LogCommit["numbers"]): Promise<void>;

  /**
   * Removes rows and numbers that `head` does not know of, and returns how many numbers there are then: as many as records,
   * unless somebody changed that. "outgrown": `head` is not the present one, and nothing was done.
   */
  trim(head: LogHead | undefined): Promise<bigint | "outgrown">;
}

/**
 * Records that wait for their append, one for each module version: the first stands until it is appended or removed.
 *
 * They lie where the log lies, so that a commit removes those that it appends. Durable once `add` returned. Consistency
 * and failures are those of `LogStore`.
 */
export interface PendingRecords {
  /** Makes them wait, but for those of a module version of which one waits already. */
  add(records: readonly LogRecord[]): Promise<void>;

  /** Up to so many of those that wait, in an order that stays the same. */
  first(limit: number): Promise<readonly LogRecord[]>;

  /** Lets these wait no longer: they are in the log. */
  remove(modules: readonly ModuleVersion[]): Promise<void>;
}

/** A signed head and the size it is of. */
export interface SignedHead {
  readonly size: bigint;
  /** The signed note, as `go` reads it. */
  readonly note: Uint8Array;
}

/** The newest signed head of our log, by the log's name, beside its rows. Consistency and failures are those of `LogStore`. */
export interface SignedHeads {
  read(name: string): Promise<SignedHead | undefined>;

  /** Keeps `next` unless the head that is kept has its size or is larger; returns the head that is kept then. */
  grow(name: string, next: SignedHead): Promise<SignedHead>;
}
