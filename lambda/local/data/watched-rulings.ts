import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Ruling } from "../../proxy/store/ruling-store.ts";
import { openRulingDatabase, rulingFile } from "./ruling-database.ts";
import { toRuling } from "./sqlite-ruling-store.ts";

export interface WatchedRulingsOptions {
  readonly data: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Watched {
  readonly database: DatabaseSync;
  /** Tells a file that was put in place of another. */
  readonly file: string;
  /** SQLite's own count of what others changed. */
  readonly version: unknown;
  readonly hasAny: boolean;
}

/**
 * What is refused in a data folder, for whoever answers requests: looked at once a second at most, so that a change of any
 * process is seen by all within a second. Where it cannot be read nothing is known, and nobody may be answered.
 */
export class WatchedRulings {
  readonly #options: WatchedRulingsOptions;
  #looked = Number.NaN;
  #generation = 0;
  #isSound = true;
  #watched: Watched | undefined;

  constructor(options: WatchedRulingsOptions) {
    this.#options = options;
  }

  /** A number that is another one after each change: what was answered before it may be refused now. */
  readonly generation = (): number => {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#looked) {
      this.#looked = second;
      this.#look();
    }
    return this.#generation;
  };

  /** The ruling that refuses a version, or a whole module where the version is empty. Throws where that cannot be read. */
  find(module: string, version: string): Ruling | undefined {
    this.generation();
    if (!this.#isSound) throw new Error("what is blocked cannot be read");
    if (this.#watched === undefined || !this.#watched.hasAny) return undefined;
    const found = `
      SELECT * FROM ruling WHERE kind IN ('block', 'verdict') AND module = ? AND version IN ('', ?)
      AND removed = 0 AND (until IS NULL OR until > ?) ORDER BY kind, version LIMIT 1`;
    const row = this.#watched.database.prepare(found).get(module, version, this.#options.now());
    return row && toRuling(row);
  }

  close(): void {
    this.#watched?.database.close();
    this.#watched = undefined;
  }

  #look(): void {
    try {
      const path = join(this.#options.data, rulingFile);
      const file = fileOf(path);
      if (this.#watched !== undefined && this.#watched.file !== file) this.close();
      const before = this.#watched;
      this.#watched = file === undefined ? undefined : this.#read(file);
      if (!this.#isSound || this.#watched?.version !== before?.version || this.#watched?.file !== before?.file)
        this.#generation++;
      this.#isSound = true;
    } catch {
      this.close();
      this.#isSound = false;
      this.#generation++;
    }
  }

  #read(file: string): Watched {
    const database = this.#watched?.database ?? openRulingDatabase(this.#options.data);
    const version = database.prepare("PRAGMA data_version").get()?.data_version;
    if (this.#watched?.version === version) return this.#watched as Watched;
    const any = "SELECT EXISTS (SELECT 1 FROM ruling WHERE kind IN ('block', 'verdict') AND removed = 0) AS found";
    return { database, file, version, hasAny: database.prepare(any).get()?.found === 1 };
  }
}

function fileOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino}`;
}
