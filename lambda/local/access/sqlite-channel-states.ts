import type { DatabaseSync } from "node:sqlite";
import type { ChannelStates } from "../../access/channel-states.ts";
import type { Note } from "../../access/token-store.ts";
import type { Ended } from "../../proxy/channels/channel-rows.ts";
import { openTokenDatabase, readEnded } from "./token-database.ts";

/** Which channels of a data folder were rolled back, beside its tokens; opened when it is first needed. */
export class SqliteChannelStates implements ChannelStates {
  readonly #data: string;
  #opened: DatabaseSync | undefined;

  constructor(data: string) {
    this.#data = data;
  }

  async read(): Promise<Ended> {
    return readEnded(this.#database);
  }

  async end(name: string, since: number, note?: Note): Promise<void> {
    const database = this.#database;
    await note?.();
    database.prepare("INSERT INTO ended_channel (name, since) VALUES (?, ?) ON CONFLICT DO NOTHING").run(name, since);
  }

  async restore(name: string, note?: Note): Promise<void> {
    const database = this.#database;
    await note?.();
    database.prepare("DELETE FROM ended_channel WHERE name = ?").run(name);
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
