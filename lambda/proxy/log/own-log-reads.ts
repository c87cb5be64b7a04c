import type { Tile } from "../../golang/tile.ts";
import { equalHashes, recordHash } from "../../golang/tlog.ts";
import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LogRow, LogStore, SignedHead, SignedHeads } from "../store/log-store.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { LoggedRecord, RecordReads } from "../store/record-log.ts";
import { damaged, LogRows } from "./log-rows.ts";
import { LogTiles } from "./log-tiles.ts";
import { parseRecordText, recordKey } from "./record-text.ts";
import { VerifiedHeads } from "./verified-heads.ts";

/** What reading the log stands on: nothing of it signs or appends. */
export interface OwnLogReadsParts {
  readonly store: Pick<LogStore, "numbers" | "rows" | "range">;
  readonly heads: SignedHeads;
  /** Where full tiles are kept. */
  readonly files: ModuleStore;
  /** `"name+hash+key"` of the log. */
  readonly verifierKey: string;
  readonly clock: Pick<Clock, "sleep">;
}

/** Our own checksum database for those who read it: what x/mod's sumdb.Server asks of its ServerOps. */
export class OwnLogReads implements RecordReads {
  readonly #store: Pick<LogStore, "numbers">;
  readonly #rows: LogRows;
  readonly #heads: VerifiedHeads;
  readonly #tiles: LogTiles;

  constructor({ store, heads, files, verifierKey, clock }: OwnLogReadsParts) {
    this.#store = store;
    this.#rows = new LogRows(store, clock);
    this.#heads = new VerifiedHeads(heads, files, verifierKey);
    this.#tiles = new LogTiles(this.#rows, files, this.#heads.name);
  }

  async lookup(module: ModuleVersion): Promise<LoggedRecord | undefined> {
    const [number] = await this.#store.numbers([module]);
    if (number === undefined) return undefined;
    const place = { level: 0, number };
    const [head, rows] = await Promise.all([this.#heads.read(), this.#rows.at([place])]);
    const { text = new Uint8Array(), hashes } = rows[0] as LogRow;
    const said = parseRecordText(text)?.module;
    const isIts = said !== undefined && recordKey(said) === recordKey(module);
    if (!isIts || !equalHashes(recordHash(text), hashes[0] as Uint8Array))
      throw damaged(place, "is not the record that was looked up");
    return head === undefined || head.size <= number ? undefined : { number, text, head };
  }

  async head(): Promise<SignedHead | undefined> {
    return await this.#heads.read();
  }

  async tile(tile: Tile): Promise<Uint8Array | undefined> {
    const head = await this.#heads.read();
    return head && this.#tiles.tile(tile, head.tree);
  }
}
