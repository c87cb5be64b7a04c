import type { Clock } from "../store/clock.ts";
import type { LogPlace, LogRow, LogStore } from "../store/log-store.ts";
import { ServedError } from "../store/served-error.ts";
import { type Frontier, frontierPlaces } from "./growing-tree.ts";

/** How often, and after how many milliseconds more each time, rows are looked for that a head says are there. */
const tries = 6;
const pause = 10;
/** As many as `LogStore` reads at once. */
const mostPlaces = 100;

/**
 * Rows below the size of a head that was read before. One that is missing is read again, because a reader may see a commit's
 * head before its rows; so that there is never less than what was asked for.
 *
 * Throws `ServedError` "log-damaged" when a row stays away, or has not the hashes that its number says.
 */
export class LogRows {
  readonly #store: Pick<LogStore, "rows" | "range">;
  readonly #clock: Pick<Clock, "sleep">;

  constructor(store: Pick<LogStore, "rows" | "range">, clock: Pick<Clock, "sleep">) {
    this.#store = store;
    this.#clock = clock;
  }

  async at(places: readonly LogPlace[]): Promise<readonly LogRow[]> {
    const found: LogRow[] = [];
    for (let from = 0; from < places.length; from += mostPlaces) {
      const part = places.slice(from, from + mostPlaces);
      found.push(...(await this.#complete(part, () => this.#store.rows(part))));
    }
    return found;
  }

  /** The rows of one level that lie within one tile. */
  async range(level: number, from: bigint, to: bigint): Promise<readonly LogRow[]> {
    const places = Array.from({ length: Number(to - from) }, (_, i) => ({ level, number: from + BigInt(i) }));
    return await this.#complete(places, () => this.#store.range(level, from, to));
  }

  /** What the rows say that the log of the first `size` records consists of. Nothing is proved by it. */
  async frontier(size: bigint): Promise<Frontier> {
    const kept = frontierPlaces(size);
    const rows = await this.at(kept.map(({ place }) => place));
    return { size, hashes: kept.map(({ index }, i) => rows[i]?.hashes[index] as Uint8Array) };
  }

  async #complete(
    places: readonly LogPlace[],
    read: () => Promise<readonly (LogRow | undefined)[]>,
  ): Promise<readonly LogRow[]> {
    for (let attempt = 1; ; attempt++) {
      const rows = await read();
      const missing = places.findIndex((_, i) => rows[i] === undefined);
      if (missing < 0) {
        for (const [i, place] of places.entries()) checkForm(place, rows[i] as LogRow);
        return rows as readonly LogRow[];
      }
      if (attempt === tries) throw damaged(places[missing] as LogPlace, "is missing");
      await this.#clock.sleep(pause * attempt);
    }
  }
}

/** A row as it was computed is as long as its number says: whoever reads a hash of it gets one. */
function checkForm(place: LogPlace, { hashes, text }: LogRow): void {
  let length = 1;
  for (let n = place.number; n & 1n && length < 8; n >>= 1n) length++;
  const isWhole = hashes.length === length && hashes.every((hash) => hash.length === 32);
  if (!isWhole || (text === undefined) !== place.level > 0) throw damaged(place, "has not the form of one");
}

/** What is said of a row that cannot be what was written. */
export function damaged({ level, number }: LogPlace, what: string): ServedError {
  return new ServedError("log-damaged", `SECURITY ERROR: the log's row ${number} of level ${level} ${what}`);
}
