import type { DatabaseSync } from "node:sqlite";
import type { ChannelStates } from "../../access/channel-states.ts";
import type { Note } from "../../access/token-store.ts";
import type { ChannelRow } from "../../edge/access-settings.ts";
import type { ChosenChannels } from "../../proxy/channels/channel-parts.ts";
import { channelRows } from "../../proxy/channels/channel-rows.ts";
import { openTokenDatabase, readEnded } from "./token-database.ts";

/** Which channels of a data folder were rolled back, beside its tokens; opened when it is first needed. */
export class SqliteChannelStates implements ChannelStates {
  readonly #data: string;
  readonly #channels: ChosenChannels;
  #opened: DatabaseSync | undefined;

  /** `channels` are those of the configuration. */
  constructor(data: string, channels: ChosenChannels) {
    this.#data = data;
    this.#channels = channels;
  }

  async read(): Promise<readonly ChannelRow[]> {
    return channelRows(this.#channels, readEnded(this.#database));
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
