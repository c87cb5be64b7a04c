import type { StatementSync } from "node:sqlite";
import { forgetAfter } from "../../proxy/store/memory-retention.ts";
import { knownFacts, parseOrigin, type VersionFacts } from "../../proxy/store/version-facts.ts";
import type {
  MemoryName,
  ModuleEntry,
  Remembered,
  VersionFlag,
  VersionIndex,
  VersionRow,
} from "../../proxy/store/version-index.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** The bit of each flag in the column `flags`. */
const flagBits: Readonly<Record<VersionFlag, number>> = { yanked: 1, evicted: 2, published: 4 };

/**
 * The statements of the index, named so that a test can ask SQLite how it carries them out.
 *
 * A module's versions are one row, a line each: as rows of their own, 10,000 of them take four times as long to get here.
 */
export const versionIndexStatements = {
  module: "SELECT name, text, fresh_until FROM memory WHERE module = ? AND name IN ('list', 'latest')",
  versions: `
    SELECT group_concat(version || ' ' || first_seen || iif(flags, ' ' || flags, ''), char(10)) AS lines
    FROM version WHERE module = ?`,
  addVersion: `
    INSERT INTO version (module, version, first_seen, flags) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET flags = flags | excluded.flags WHERE flags != flags | excluded.flags`,
  addFacts: `
    INSERT INTO fact (module, version, origin, zip_size, zip_hash, go_mod_hash, licences) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      origin = coalesce(origin, excluded.origin),
      zip_size = coalesce(zip_size, excluded.zip_size),
      zip_hash = coalesce(zip_hash, excluded.zip_hash),
      go_mod_hash = coalesce(go_mod_hash, excluded.go_mod_hash),
      licences = coalesce(licences, excluded.licences)`,
  facts: "SELECT origin, zip_size, zip_hash, go_mod_hash, licences FROM fact WHERE module = ? AND version = ?",
  setFlag: "UPDATE version SET flags = flags | :bit WHERE module = :module AND version = :version",
  clearFlag: "UPDATE version SET flags = flags & ~:bit WHERE module = :module AND version = :version",
  removeVersion: "DELETE FROM version WHERE module = ? AND version = ?",
  removeFacts: "DELETE FROM fact WHERE module = ? AND version = ?",
  recall: "SELECT name, text, fresh_until FROM memory WHERE module = ? AND name = ?",
  remember: `
    INSERT INTO memory (module, name, text, fresh_until, forget_after) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE
    SET text = excluded.text, fresh_until = excluded.fresh_until, forget_after = excluded.forget_after`,
  forget: `
    DELETE FROM memory WHERE (module, name) IN
    (SELECT module, name FROM memory WHERE forget_after < ? ORDER BY forget_after LIMIT ?)`,
} as const;

/** Milliseconds between the sweeps of memories, and how many go with each. */
export const memorySweep = { interval: 60_000, most: 1_000 } as const;

/** Forgets memories whose time is over at `now`: each new one takes others with it, but nobody may be making new ones. */
export function sweepMemories({ quick }: IndexDatabase, now: number): void {
  attempt(() => quick.prepare(versionIndexStatements.forget).run(now, memorySweep.most));
}

/** The version index in SQLite. */
export class SqliteVersionIndex implements VersionIndex {
  readonly #statements: Readonly<Record<keyof typeof versionIndexStatements, StatementSync>>;
  readonly #durable: IndexDatabase["durable"];
  readonly #failpoint: Failpoint;

  constructor(database: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    const { quick, durable } = database;
    this.#durable = durable;
    this.#statements = {
      module: quick.prepare(versionIndexStatements.module),
      versions: quick.prepare(versionIndexStatements.versions),
      addVersion: durable.prepare(versionIndexStatements.addVersion),
      addFacts: durable.prepare(versionIndexStatements.addFacts),
      facts: quick.prepare(versionIndexStatements.facts),
      setFlag: durable.prepare(versionIndexStatements.setFlag),
      clearFlag: durable.prepare(versionIndexStatements.clearFlag),
      removeVersion: durable.prepare(versionIndexStatements.removeVersion),
      removeFacts: durable.prepare(versionIndexStatements.removeFacts),
      recall: quick.prepare(versionIndexStatements.recall),
      remember: quick.prepare(versionIndexStatements.remember),
      forget: quick.prepare(versionIndexStatements.forget),
    };
  }

  /** Few who ask for a module look at its versions, and 10,000 of them are 2 ms to read: they are when looked at. */
  async module(path: string): Promise<ModuleEntry> {
    const rows = attempt(() => this.#statements.module.all(path) as unknown as MemoryRow[]);
    const memories = new Map(rows.map((row) => [row.name, remembered(row)]));
    const read = () => this.#versions(path);
    let versions: readonly VersionRow[] | undefined;
    return {
      get versions() {
        versions ??= read();
        return versions;
      },
      list: memories.get("list"),
      latest: memories.get("latest"),
    };
  }

  #versions(path: string): readonly VersionRow[] {
    const [row] = attempt(() => this.#statements.versions.all(path) as unknown as { readonly lines: string | null }[]);
    return row?.lines?.split("\n").map(versionRow) ?? [];
  }

  async addVersion(path: string, version: string, now: number, facts: VersionFacts): Promise<void> {
    const { addFacts, addVersion } = this.#statements;
    this.#failpoint("index.addVersion.before");
    attempt(() =>
      transact(this.#durable, () => {
        const columns = factColumns(facts);
        if (columns.some((value) => value !== null)) addFacts.run(path, version, ...columns);
        addVersion.run(path, version, now, originFlags(facts));
      }),
    );
    this.#failpoint("index.addVersion.after");
  }

  async facts(path: string, version: string): Promise<VersionFacts | undefined> {
    const [row] = attempt(() => this.#statements.facts.all(path, version) as unknown as FactRow[]);
    return row && factsOf(row);
  }

  async setFlag(path: string, version: string, flag: VersionFlag, on: boolean): Promise<boolean> {
    this.#failpoint("index.setFlag.before");
    const statement = on ? this.#statements.setFlag : this.#statements.clearFlag;
    const { changes } = attempt(() => statement.run({ module: path, version, bit: flagBits[flag] }));
    this.#failpoint("index.setFlag.after");
    return changes === 1;
  }

  async removeVersion(path: string, version: string): Promise<void> {
    const { removeVersion, removeFacts } = this.#statements;
    this.#failpoint("index.removeVersion.before");
    attempt(() =>
      transact(this.#durable, () => {
        removeVersion.run(path, version);
        removeFacts.run(path, version);
      }),
    );
    this.#failpoint("index.removeVersion.after");
  }

  async recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    const [row] = attempt(() => this.#statements.recall.all(path, name) as unknown as MemoryRow[]);
    return row && remembered(row);
  }

  async remember(path: string, name: MemoryName, memory: Remembered): Promise<void> {
    this.#failpoint("index.remember.before");
    attempt(() => {
      const { text, freshUntil } = memory;
      this.#statements.remember.run(path, name, text, freshUntil, forgetAfter(name, freshUntil));
      // Each new one takes up to four with it whose time is over, so that they never become more than were made lately.
      this.#statements.forget.run(freshUntil, 4);
    });
    this.#failpoint("index.remember.after");
  }
}

interface MemoryRow {
  readonly name: string;
  readonly text: string;
  readonly fresh_until: number;
}

function remembered(row: MemoryRow): Remembered {
  return { text: row.text, freshUntil: Number(row.fresh_until) };
}

/** The flags that a version has from its first moment on. */
export function originFlags({ origin }: Pick<VersionFacts, "origin">): number {
  return origin === "published" ? flagBits.published : 0;
}

const noFlags: readonly VersionFlag[] = [];

/** `"v1.0.0 1732700000000"`, and the number of its flags where it has any. Not with split(), which takes twice as long. */
function versionRow(line: string): VersionRow {
  const space = line.indexOf(" ");
  const second = line.indexOf(" ", space + 1);
  const version = line.slice(0, space);
  if (second < 0) return { version, firstSeen: Number(line.slice(space + 1)), flags: noFlags };
  const flags = flagsOf(Number(line.slice(second + 1)));
  return { version, firstSeen: Number(line.slice(space + 1, second)), flags };
}

function flagsOf(bits: number): readonly VersionFlag[] {
  return (Object.keys(flagBits) as VersionFlag[]).filter((flag) => (bits & flagBits[flag]) !== 0);
}

interface FactRow {
  readonly origin: string | null;
  readonly zip_size: number | null;
  readonly zip_hash: string | null;
  readonly go_mod_hash: string | null;
  readonly licences: string | null;
}

function factColumns(facts: VersionFacts) {
  const { origin, zipSize, zipHash, goModHash, licences } = facts;
  return [origin, zipSize, zipHash, goModHash, licences && JSON.stringify(licences)].map((value) => value ?? null);
}

function factsOf(row: FactRow): VersionFacts | undefined {
  return knownFacts({
    origin: parseOrigin(row.origin),
    zipSize: row.zip_size ?? undefined,
    zipHash: row.zip_hash ?? undefined,
    goModHash: row.go_mod_hash ?? undefined,
    licences: row.licences === null ? undefined : (JSON.parse(row.licences) as readonly string[]),
  });
}
