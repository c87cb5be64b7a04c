import type { DatabaseSync } from "node:sqlite";
import type { UsedTokens } from "../../access/oidc/used-tokens.ts";
import { transact } from "../data/sqlite-schema.ts";
import { openTokenDatabase } from "./token-database.ts";

/** How many that may be forgotten are removed with each new one. */
const mostSwept = 100;

/** The ID tokens that were used, beside the tokens of a data folder; opened when it is first needed. */
export class SqliteUsedTokens implements UsedTokens {
  readonly #data: string;
  readonly #now: () => number;
  #opened: DatabaseSync | undefined;

  /** `now` in Unix seconds. */
  constructor(data: string, now: () => number) {
    this.#data = data;
    this.#now = now;
  }

  async use(id: string, until: number): Promise<boolean> {
    this.#opened ??= openTokenDatabase(this.#data);
    const database = this.#opened;
    return transact(database, () => {
      const ended = "SELECT id FROM used_id_token WHERE until <= ? ORDER BY until LIMIT ?";
      database.prepare(`DELETE FROM used_id_token WHERE id IN (${ended})`).run(this.#now(), mostSwept);
      const insert = database.prepare("INSERT INTO used_id_token (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING");
      return insert.run(id, Math.ceil(until)).changes === 1;
    });
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }
}
