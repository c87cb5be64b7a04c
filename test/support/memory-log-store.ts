import type { ModuleVersion } from "../../lambda/proxy/store/layout.ts";
import {
  type CommitOutcome,
  type LogCommit,
  type LogHead,
  type LogPlace,
  type LogRecord,
  type LogRow,
  type LogStore,
  type PendingRecords,
  recordsOfCommit,
  type SignedHead,
  type SignedHeads,
} from "../../lambda/proxy/store/log-store.ts";

// The log's interfaces over memory. They police their callers: a commit that skips a number, more places than are read at
// once, a range over two tiles would each pass in one adapter and not in another.

async function elsewhere(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function insist(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken contract: ${what}`);
}

const keyOf = ({ path, version }: ModuleVersion) => `${path}@${version}`;
const placeOf = ({ level, number }: LogPlace) => `${level} ${number}`;

/** Log, what waits for it and its signed heads: one table, as on AWS. */
export class MemoryLog implements LogStore, PendingRecords, SignedHeads {
  /** What is stored, for assertions and for hands that change it. */
  kept: LogHead | undefined;
  readonly placed = new Map<string, LogRow>();
  readonly numbered = new Map<string, bigint>();
  readonly waiting = new Map<string, LogRecord>();
  readonly signed = new Map<string, SignedHead>();
  /** Commits by how they ended. */
  readonly outcomes = { committed: 0, outgrown: 0, logged: 0 };

  async head(): Promise<LogHead | undefined> {
    await elsewhere();
    return this.kept;
  }

  async commit(commit: LogCommit): Promise<CommitOutcome> {
    checkCommit(commit);
    await elsewhere();
    const { before, after, rows, numbers } = commit;
    if (this.kept?.epoch !== before?.epoch || this.kept?.size !== before?.size) {
      this.outcomes.outgrown++;
      return "outgrown";
    }
    const logged = numbers.map(({ module }) => module).filter((module) => this.numbered.has(keyOf(module)));
    if (logged.length > 0) {
      this.outcomes.logged++;
      return { logged };
    }
    for (const row of rows) insist(!this.placed.has(placeOf(row)), `row ${placeOf(row)} is written twice`);
    for (const row of rows) {
      this.placed.set(placeOf(row), { hashes: row.hashes, text: row.text, proof: row.proof });
    }
    for (const { module, number } of numbers) {
      this.numbered.set(keyOf(module), number);
      this.waiting.delete(keyOf(module));
    }
    this.kept = after;
    this.outcomes.committed++;
    return "committed";
  }

  async numbers(modules: readonly ModuleVersion[]): Promise<readonly (bigint | undefined)[]> {
    insist(modules.length <= 100, "more than 100 module versions at once");
    await elsewhere();
    return modules.map((module) => this.numbered.get(keyOf(module)));
  }

  async rows(places: readonly LogPlace[]): Promise<readonly (LogRow | undefined)[]> {
    insist(places.length <= 100, "more than 100 places at once");
    await elsewhere();
    return places.map((place) => this.placed.get(placeOf(place)));
  }

  async range(level: number, from: bigint, to: bigint): Promise<readonly (LogRow | undefined)[]> {
    insist(from < to && from >> 8n === (to - 1n) >> 8n, `${from} to ${to} is not within a tile`);
    await elsewhere();
    return Array.from({ length: Number(to - from) }, (_, i) =>
      this.placed.get(placeOf({ level, number: from + BigInt(i) })),
    );
  }

  async add(records: readonly LogRecord[]): Promise<void> {
    await elsewhere();
    for (const record of records) {
      const key = keyOf(record.module);
      if (!this.waiting.has(key)) this.waiting.set(key, structuredClone(record));
    }
  }

  async first(limit: number): Promise<readonly LogRecord[]> {
    insist(limit >= 1 && limit <= 100, `${limit} pending records at once`);
    await elsewhere();
    return [...this.waiting.values()].slice(0, limit);
  }

  async remove(modules: readonly ModuleVersion[]): Promise<void> {
    await elsewhere();
    for (const module of modules) this.waiting.delete(keyOf(module));
  }

  async read(name: string): Promise<SignedHead | undefined> {
    await elsewhere();
    return this.signed.get(name);
  }

  async grow(name: string, next: SignedHead): Promise<SignedHead> {
    await elsewhere();
    const kept = this.signed.get(name);
    if (kept !== undefined && kept.size >= next.size) return kept;
    this.signed.set(name, next);
    return next;
  }
}

function checkCommit({ before, after, rows, numbers }: LogCommit): void {
  const from = before?.size ?? 0n;
  insist(numbers.length >= 1 && numbers.length <= recordsOfCommit, `${numbers.length} records in a commit`);
  insist(new Set(numbers.map(({ module }) => keyOf(module))).size === numbers.length, "a module version twice");
  insist(after.size === from + BigInt(numbers.length), `from ${from} to ${after.size} with ${numbers.length} records`);
  insist(before === undefined || after.epoch === before.epoch, "another epoch");
  insist(after.root.length === 32, "a root of another length");
  insist(rows.length + 2 * numbers.length + 1 <= 100, "more items than a transaction takes");
  for (const [i, { number }] of numbers.entries()) {
    insist(number === from + BigInt(i), `record ${i} has number ${number}`);
    insist(rows.filter((row) => row.level === 0 && row.number === number).length === 1, `no row ${number}`);
  }
  for (const { level, number, hashes, text } of rows) {
    insist(hashes.length >= 1 && hashes.length <= 8 && hashes.every((hash) => hash.length === 32), "no hashes");
    insist((text !== undefined) === (level === 0), `row ${number} of level ${level} has the wrong form`);
  }
}
