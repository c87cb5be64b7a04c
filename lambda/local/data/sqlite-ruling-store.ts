import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { nextTurn } from "../../proxy/store/in-turns.ts";
import {
  noSuchRuling,
  type Ruling,
  type RulingChange,
  type RulingKind,
  type RulingName,
  type RulingNote,
  type RulingPage,
  type RulingStore,
  rememberedRemoval,
} from "../../proxy/store/ruling-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import { openRulingDatabase, rulingFile } from "./ruling-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** Rows that one transaction of `change` writes: others wait for it. */
const writtenAtOnce = 500;

const insert = `
  INSERT INTO ruling (kind, module, version, reason, until, author, at, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET reason = excluded.reason, until = excluded.until, author = excluded.author,
    at = excluded.at, request = excluded.request, removed = 0`;

/** What is ruled in a data folder, in a database that is opened when it is first needed. */
export class SqliteRulingStore implements RulingStore {
  readonly #data: string;
  readonly #failpoint: Failpoint;
  #opened: DatabaseSync | undefined;

  constructor(data: string, failpoint: Failpoint = noFailpoint) {
    this.#data = data;
    this.#failpoint = failpoint;
  }

  async set(ruling: Ruling, note?: RulingNote): Promise<void> {
    await note?.();
    this.#failpoint("ruling.set.before");
    attempt(() => this.#database.prepare(insert).run(...columns(ruling)));
    this.#failpoint("ruling.set.after");
  }

  async remove(change: Parameters<RulingStore["remove"]>[0], note?: RulingNote): Promise<void> {
    const { kind, module, version, at, request } = change;
    if ((await this.last(change))?.removed !== false) throw noSuchRuling();
    await note?.();
    this.#failpoint("ruling.remove.before");
    const isRemoved = attempt(() =>
      transact(this.#database, () => {
        this.#database.prepare("DELETE FROM ruling WHERE removed = 1 AND at < ?").run(at - rememberedRemoval);
        const removed = this.#database.prepare(
          `UPDATE ruling SET reason = '', until = NULL, at = ?, request = ?, removed = 1
           WHERE kind = ? AND module = ? AND version = ? AND removed = 0`,
        );
        return removed.run(at, request, kind, module, version).changes > 0;
      }),
    );
    if (!isRemoved) throw noSuchRuling();
    this.#failpoint("ruling.remove.after");
  }

  async change(sets: readonly Ruling[], removes: readonly RulingName[]): Promise<void> {
    await this.#inPieces(sets, insert, columns);
    const remove = "DELETE FROM ruling WHERE kind = ? AND module = ? AND version = ?";
    await this.#inPieces(removes, remove, ({ kind, module, version }) => [kind, module, version]);
  }

  async #inPieces<Each>(
    all: readonly Each[],
    sql: string,
    values: (each: Each) => readonly (string | number | null)[],
  ): Promise<void> {
    for (let from = 0; from < all.length; from += writtenAtOnce) {
      attempt(() => {
        const statement = this.#database.prepare(sql);
        transact(this.#database, () => {
          for (const each of all.slice(from, from + writtenAtOnce)) statement.run(...values(each));
        });
      });
      await nextTurn();
    }
  }

  async last({ kind, module, version }: RulingName): Promise<RulingChange | undefined> {
    const found = "SELECT at, request, removed FROM ruling WHERE kind = ? AND module = ? AND version = ?";
    const [row] = this.#read(found, kind, module, version);
    return row && { at: Number(row.at), request: String(row.request), removed: row.removed === 1 };
  }

  async ofModule(module: string): Promise<readonly Ruling[]> {
    const found = "SELECT * FROM ruling WHERE kind = ? AND module = ? AND removed = 0";
    const kinds: readonly RulingKind[] = ["block", "exception", "verdict"];
    return kinds.flatMap((kind) => this.#read(found, kind, module).map(toRuling));
  }

  async list(kind: RulingKind, limit: number, after?: RulingName): Promise<RulingPage> {
    const { module = "", version = "" } = after ?? {};
    const found = `
      SELECT * FROM ruling WHERE kind = ? AND (module, version) > (?, ?) AND removed = 0 ORDER BY module, version LIMIT ?`;
    const items = this.#read(found, kind, module, version, limit + 1).map(toRuling);
    if (items.length <= limit) return { items };
    const page = items.slice(0, limit);
    return { items: page, next: page.at(-1) };
  }

  async count(kind: RulingKind): Promise<number> {
    return Number(this.#read("SELECT count(*) AS n FROM ruling WHERE kind = ? AND removed = 0", kind)[0]?.n ?? 0);
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  /** Where nobody has ruled anything there is no file, and none is made for looking. */
  #read(sql: string, ...values: readonly (string | number)[]): readonly Readonly<Record<string, unknown>>[] {
    if (this.#opened === undefined && !existsSync(join(this.#data, rulingFile))) return [];
    return attempt(() => this.#database.prepare(sql).all(...values));
  }

  get #database(): DatabaseSync {
    this.#opened ??= openRulingDatabase(this.#data);
    return this.#opened;
  }
}

function columns({ kind, module, version, reason, until, by, at, request }: Ruling) {
  return [kind, module, version, reason, until ?? null, by, at, request] as const;
}

export function toRuling(row: Readonly<Record<string, unknown>>): Ruling {
  const { kind, module, version, reason, until, author, at, request } = row;
  return {
    kind: String(kind) as RulingKind,
    module: String(module),
    version: String(version),
    reason: String(reason),
    by: String(author),
    at: Number(at),
    request: String(request),
    ...(until !== null && { until: Number(until) }),
  };
}
