import { composeLookup } from "../../golang/sumdb.ts";
import { parseTilePath } from "../../golang/tile.ts";
import type { ChecksumDatabase } from "../checksums/checksums.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LoggedRecord, RecordReads } from "../store/record-log.ts";
import { ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";

export interface LogDatabaseParts {
  readonly reads: RecordReads;
  /** Has a version logged that is not yet: a private one with its files, a public one by what is proved of it. */
  readonly record: (module: ModuleVersion, waitUntil: number) => Promise<void>;
  /** Throws `ServedError` "store-failed" where there is no room for what a record takes. */
  readonly checkRoom?: (() => void) | undefined;
}

/** Our own log as a checksum database: what nobody asked for yet is obtained for whoever looks it up. */
export class LogDatabase implements ChecksumDatabase {
  readonly #parts: LogDatabaseParts;
  readonly #flights = new SingleFlight<LoggedRecord>();

  constructor(parts: LogDatabaseParts) {
    this.#parts = parts;
  }

  async lookup(module: ModuleVersion, waitUntil: number): Promise<Uint8Array> {
    const { number, text, head } = await this.#flights.run(`${module.path}@${module.version}`, () =>
      this.#logged(module, waitUntil),
    );
    return composeLookup({ id: number, record: text }, { signedNote: head.note });
  }

  async tile(path: string): Promise<Uint8Array> {
    const tile = await this.#parts.reads.tile(parseTilePath(path));
    if (tile === undefined) throw new ServedError("not-found", "the tile is not in the signed log");
    return tile;
  }

  async head(): Promise<FillAnswer> {
    const head = await this.#parts.reads.head();
    if (head === undefined) throw new ServedError("log-unsigned", "the log has no signed head yet: try again");
    return { body: head.note };
  }

  async #logged(module: ModuleVersion, waitUntil: number): Promise<LoggedRecord> {
    const { reads, record, checkRoom } = this.#parts;
    const logged = await reads.lookup(module);
    if (logged !== undefined) return logged;
    checkRoom?.();
    await record(module, waitUntil).catch(asLookup);
    const fresh = await reads.lookup(module);
    if (fresh !== undefined) return fresh;
    throw new ServedError("log-unsigned", "the record is not signed yet: try again");
  }
}

/** That the database which speaks for public modules does not know a version means for a lookup that there is none. */
function asLookup(error: unknown): never {
  if (error instanceof ServedError && error.code === "checksum-unknown")
    throw new ServedError("not-found", error.message, { cause: error });
  throw error;
}
