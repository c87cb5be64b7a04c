import type { DatabaseSync } from "node:sqlite";
import type { Note, TokenKeys, TokenPage, TokenRecord, TokenStore } from "../../access/token-store.ts";
import type { Role } from "../../edge/token.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { transact } from "../data/sqlite-schema.ts";
import { insertToken, markRevoked, openTokenDatabase, readKeys, writeKeys } from "./token-database.ts";

/** How many records that ended are removed with each new one. */
const mostSwept = 100;

/** The tokens of a data folder, in a database of its own that is opened when it is first needed. */
export class SqliteTokenStore implements TokenStore {
  readonly #data: string;
  #opened: DatabaseSync | undefined;

  constructor(data: string) {
    this.#data = data;
  }

  async readKeys(): Promise<TokenKeys> {
    return readKeys(this.#database);
  }

  async updateKeys<Result>(change: (keys: TokenKeys) => readonly [TokenKeys, Result], note?: Note): Promise<Result> {
    const database = this.#database;
    await note?.();
    return transact(database, () => {
      const [keys, result] = change(readKeys(database));
      writeKeys(database, keys);
      return result;
    });
  }

  async find(id: string): Promise<TokenRecord | undefined> {
    const row = this.#database.prepare("SELECT * FROM token WHERE id = ?").get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  async list(limit: number, after = ""): Promise<TokenPage> {
    const rows = this.#database.prepare("SELECT * FROM token WHERE id > ? ORDER BY id LIMIT ?").all(after, limit + 1);
    const items = rows.slice(0, limit).map(toRecord);
    return rows.length > limit ? { items, next: items.at(-1)?.id } : { items };
  }

  async add(record: TokenRecord, note?: Note): Promise<void> {
    const database = this.#database;
    await note?.();
    const isNew = transact(database, () => {
      const ended = "SELECT id FROM token WHERE expires <= ? ORDER BY expires LIMIT ?";
      database.prepare(`DELETE FROM token WHERE id IN (${ended})`).run(record.created, mostSwept);
      return insertToken(database, record);
    });
    if (!isNew) throw new CodedError("token-exists", "the id of the token is taken: try again");
  }

  async revoke(record: TokenRecord, at: number, note?: Note): Promise<void> {
    const database = this.#database;
    await note?.();
    transact(database, () => markRevoked(database, record, at));
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  get #database(): DatabaseSync {
    this.#opened ??= openTokenDatabase(this.#data);
    return this.#opened;
  }
}

function toRecord(row: Readonly<Record<string, unknown>>): TokenRecord {
  const record = {
    id: String(row.id),
    subject: String(row.subject),
    role: row.role as Role,
    modules: String(row.modules),
    created: Number(row.created),
    expires: Number(row.expires),
    key: String(row.signing_key),
  };
  return row.revoked === null ? record : { ...record, revoked: Number(row.revoked) };
}
