import { tileHeight } from "../../golang/sumdb-tiles.ts";
import { parseDataTile, tilePath } from "../../golang/tile.ts";
import type { Tree } from "../../golang/tlog.ts";
import { logKey, policies } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { ServedError } from "../store/served-error.ts";
import type { LogRows } from "./log-rows.ts";
import type { LogTiles } from "./log-tiles.ts";

const full = BigInt(2 ** tileHeight);

/** Records that one file has: from `from` (inclusive) to `to` (exclusive). */
interface Span {
  readonly key: string;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The log's records among the files, where no loss of the table reaches: full tiles of them, and what came since in a file
 * for each signature, which go when their tile is full. Who has them can make the log's rows anew.
 */
export class RecordCopies {
  readonly #files: ModuleStore;
  readonly #name: string;
  readonly #rows: LogRows;
  readonly #tiles: LogTiles;
  /** How many records are there. */
  #copied: bigint | undefined;

  constructor(parts: {
    readonly files: ModuleStore;
    readonly name: string;
    readonly rows: LogRows;
    readonly tiles: LogTiles;
  }) {
    this.#files = parts.files;
    this.#name = parts.name;
    this.#rows = parts.rows;
    this.#tiles = parts.tiles;
  }

  /** Copies what is not there yet of a tree whose rows were checked. Durable once it returned. */
  async copy(tree: Tree): Promise<void> {
    let at = this.#copied ?? (await this.#found(tree.n));
    while (at < tree.n) {
      const end = (at / full + 1n) * full;
      if (end <= tree.n) await this.#keepTile(at, tree);
      else await this.#write(at, tree.n);
      at = end <= tree.n ? end : tree.n;
      // Nobody waits for that, and what stays is removed with the next.
      if (at === end) void this.#removeBelow(end).catch(() => {});
    }
    this.#copied = at;
  }

  /** The records' texts in their order, from the first up to the first that is missing. */
  async *read(): AsyncIterable<Uint8Array> {
    const spans = await this.#spans();
    for (let at = 0n; ; ) {
      const tile = this.#tileAt(at);
      const whole = at % full === 0n ? await this.#files.read(this.#tileKey(at)) : undefined;
      const span = spans.find(({ from, to }) => from <= at && at < to);
      const bytes = whole ?? (span && (await this.#files.read(span.key)));
      if (bytes === undefined) return;
      const [from, to] = whole === undefined ? [span?.from ?? at, span?.to ?? at] : [at, at + full];
      const texts = parseDataTile({ ...tile, w: Number(to - from) }, bytes);
      yield* texts.slice(Number(at - from));
      at = to;
    }
  }

  /** Another process may have copied more, which is no harm: the same record is the same wherever it lies. */
  async #found(size: bigint): Promise<bigint> {
    const last = (await this.#spans()).at(-1)?.to ?? 0n;
    if (last > 0n) return last < size ? last : size;
    const tiles = size / full;
    return tiles > 0n && (await this.#files.size(this.#tileKey((tiles - 1n) * full))) !== undefined ? tiles * full : 0n;
  }

  /** Whoever only reads a tile is given it when it cannot be kept; here it is what takes the place of other copies. */
  async #keepTile(at: bigint, tree: Tree): Promise<void> {
    await this.#tiles.tile(this.#tileAt(at), tree);
    if ((await this.#files.size(this.#tileKey(at))) === undefined)
      throw new ServedError("store-failed", "the records of the log cannot be copied");
  }

  async #write(from: bigint, to: bigint): Promise<void> {
    const rows = await this.#rows.range(0, from, to);
    const lines = rows.flatMap(({ text = new Uint8Array() }) => [text, Buffer.from("\n")]);
    await this.#files.create(this.#spanKey(from, to), new Uint8Array(Buffer.concat(lines)), policies.internal);
  }

  async #removeBelow(end: bigint): Promise<void> {
    for (const { key, to } of await this.#spans()) if (to <= end) await this.#files.remove(key);
  }

  async #spans(): Promise<readonly Span[]> {
    const spans: Span[] = [];
    for await (const key of this.#files.keys(logKey(this.#name, "records/"))) {
      const [, from, to] = /\/(\d{19})-(\d{19})$/.exec(key) ?? [];
      if (from !== undefined && to !== undefined) spans.push({ key, from: BigInt(from), to: BigInt(to) });
    }
    return spans.sort((a, b) => (a.from < b.from ? -1 : 1));
  }

  #spanKey(from: bigint, to: bigint): string {
    const digits = (n: bigint) => String(n).padStart(19, "0");
    return logKey(this.#name, `records/${digits(from)}-${digits(to)}`);
  }

  #tileAt(at: bigint) {
    return { h: tileHeight, l: -1, n: at / full, w: Number(full) };
  }

  #tileKey(at: bigint): string {
    return logKey(this.#name, tilePath(this.#tileAt(at)));
  }
}
