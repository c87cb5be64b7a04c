import type { StatementSync } from "node:sqlite";
import type { MemoryName, ModuleEntry, Remembered, VersionIndex } from "../../proxy/store/version-index.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

const day = 86_400_000;

/**
 * The statements of the index, named so that a test can ask SQLite how it carries them out.
 *
 * A module's versions are one row, a line each: as rows of their own, 10,000 of them take four times as long to get here.
 */
export const versionIndexStatements = {
  module: `
    SELECT 'versions' AS name, group_concat(version, char(10)) AS text, NULL AS fresh_until
    FROM version WHERE module = :module
    UNION ALL
    SELECT name, text, fresh_until FROM memory WHERE module = :module AND name IN ('list', 'latest')`,
  addVersion: "INSERT INTO version (module, version) VALUES (?, ?) ON CONFLICT DO NOTHING",
  recall: "SELECT name, text, fresh_until FROM memory WHERE module = ? AND name = ?",
  remember: `
    INSERT INTO memory (module, name, text, fresh_until, forget_after) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE
    SET text = excluded.text, fresh_until = excluded.fresh_until, forget_after = excluded.forget_after`,
  forget: `
    DELETE FROM memory WHERE (module, name) IN
    (SELECT module, name FROM memory WHERE forget_after < ? ORDER BY forget_after LIMIT 4)`,
} as const;

/** The version index in SQLite. */
export class SqliteVersionIndex implements VersionIndex {
  readonly #statements: Readonly<Record<keyof typeof versionIndexStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  constructor(database: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    const { quick, durable } = database;
    this.#statements = {
      module: quick.prepare(versionIndexStatements.module),
      addVersion: durable.prepare(versionIndexStatements.addVersion),
      recall: quick.prepare(versionIndexStatements.recall),
      remember: quick.prepare(versionIndexStatements.remember),
      forget: quick.prepare(versionIndexStatements.forget),
    };
  }

  async module(path: string): Promise<ModuleEntry> {
    let versions: readonly string[] = [];
    const memories = new Map<string, Remembered>();
    for (const row of attempt(() => this.#statements.module.all({ module: path }) as unknown as Row[])) {
      if (row.name === "versions") versions = row.text === null ? [] : row.text.split("\n");
      else memories.set(row.name, remembered(row as MemoryRow));
    }
    return { versions, list: memories.get("list"), latest: memories.get("latest") };
  }

  async addVersion(path: string, version: string): Promise<void> {
    this.#failpoint("index.addVersion.before");
    attempt(() => this.#statements.addVersion.run(path, version));
    this.#failpoint("index.addVersion.after");
  }

  async recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    const [row] = attempt(() => this.#statements.recall.all(path, name) as unknown as MemoryRow[]);
    return row && remembered(row);
  }

  async remember(path: string, name: MemoryName, memory: Remembered): Promise<void> {
    this.#failpoint("index.remember.before");
    const kept = keptFor(name);
    const forgetAfter = kept === undefined ? null : memory.freshUntil + kept;
    attempt(() => {
      this.#statements.remember.run(path, name, memory.text, memory.freshUntil, forgetAfter);
      if (forgetAfter !== null) this.#statements.forget.run(memory.freshUntil);
    });
    this.#failpoint("index.remember.after");
  }
}

/**
 * Milliseconds for which a stale memory is kept; `undefined` is for ever.
 *
 * Anyone can ask for files that do not exist, under ever new names: such a memory is of no use once stale. The answer to
 * a query helps through an outage. Each new one of either kind takes up to four with it whose time is over, so that they
 * never become more than were made lately.
 */
function keptFor(name: MemoryName): number | undefined {
  if (name === "list" || name === "latest") return undefined;
  return name.startsWith("query ") ? 30 * day : day;
}

interface MemoryRow {
  readonly name: string;
  readonly text: string;
  readonly fresh_until: number;
}

/** The first row of a module has no text when nothing of it is stored. */
type Row = MemoryRow | { readonly name: "versions"; readonly text: string | null };

function remembered(row: MemoryRow): Remembered {
  return { text: row.text, freshUntil: Number(row.fresh_until) };
}
