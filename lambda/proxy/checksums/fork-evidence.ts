import type { SumdbForkError } from "../../golang/sumdb.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";

/** Two signed heads of one database that contradict each other, as text: the proof of its misbehaviour. */
export interface Fork {
  /** The head that everything stored here was verified under. */
  readonly ours: string;
  readonly theirs: string;
  /** True when an operator decided to go on with ours. */
  readonly decided: boolean;
}

/** Under which name a fork is kept beside the newest verified head. */
function forkName(database: string): string {
  return `${database} fork`;
}

/** The last fork of a database that was seen, or `undefined`. */
export async function readFork(heads: TreeHeadStore, database: string): Promise<Fork | undefined> {
  const kept = await heads.read(forkName(database));
  return kept === undefined ? undefined : (JSON.parse(new TextDecoder().decode(kept)) as Fork);
}

/** Whether an operator has decided about the last fork of a database; undefined where none was seen. */
export async function isForkDecided(heads: TreeHeadStore, database: string): Promise<boolean | undefined> {
  return (await readFork(heads, database))?.decided;
}

/** Keeps both heads of a fork, unless an earlier one still waits for its decision. */
export async function rememberFork(heads: TreeHeadStore, database: string, fork: SumdbForkError): Promise<void> {
  const decode = (note: Uint8Array) => new TextDecoder().decode(note);
  const evidence: Fork = { ours: decode(fork.olderNote), theirs: decode(fork.newerNote), decided: false };
  await writeFork(heads, database, (earlier) => (earlier === undefined || earlier.decided ? evidence : undefined));
}

/**
 * The operator's decision to go on with the log that everything stored here was verified under; says whether there was
 * a fork to decide on. The evidence is kept. Should the database show the other log again, it is a fork again.
 */
export async function keepOurs(heads: TreeHeadStore, database: string): Promise<boolean> {
  return writeFork(heads, database, (fork) => fork && !fork.decided && { ...fork, decided: true });
}

async function writeFork(
  heads: TreeHeadStore,
  database: string,
  change: (present: Fork | undefined) => Fork | false | undefined,
): Promise<boolean> {
  const name = forkName(database);
  for (;;) {
    const old = await heads.read(name);
    const next = change(old && (JSON.parse(new TextDecoder().decode(old)) as Fork));
    if (!next) return false;
    if (await heads.replace(name, old, new TextEncoder().encode(JSON.stringify(next)))) return true;
  }
}
