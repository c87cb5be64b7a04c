import { LRUCache } from "lru-cache";
import { applyDelta, deltaSizes } from "./delta.ts";
import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import { idBytes, type ObjectFormat } from "./object-id.ts";
import { idDelta, offsetDelta, type PackEntry } from "./pack-entry.ts";
import { PackFile } from "./pack-file.ts";
import { type PackIndex, rowOf } from "./pack-index.ts";

/** Bytes of objects that are kept because the next delta may be one to them. */
const cachedBytes = 16 << 20;

/** Bytes that are read at a time: objects are asked for in the order of a tree, which is not that of the file. */
const window = 16 << 10;

/** The objects of one indexed packfile by their rows. Synchronous but for large blobs: for threads. */
export class PackObjects {
  readonly index: PackIndex;
  readonly #file: PackFile;
  readonly #limits: GitLimits;
  readonly #cache = new LRUCache<number, Buffer>({ maxSize: cachedBytes, sizeCalculation: cacheCost });
  readonly #outside: (id: Uint8Array) => Buffer;

  /** `outside` reads what deltas are made of and is in packfiles that were here when this one came. */
  constructor(
    path: string,
    index: PackIndex,
    {
      format,
      limits,
      outside,
    }: { readonly format: ObjectFormat; readonly limits: GitLimits; readonly outside: (id: Uint8Array) => Buffer },
  ) {
    this.index = index;
    this.#outside = outside;
    this.#file = new PackFile(path, idBytes[format], window);
    this.#limits = limits;
  }

  close(): void {
    this.#file.close();
  }

  /** An object's bytes, which are not to be changed. */
  read(row: number): Buffer {
    const offset = this.index.offsets[row] ?? 0;
    const cached = this.#cache.get(offset);
    if (cached !== undefined) return cached;
    const deltas: number[] = [];
    let at = offset;
    let data = this.#cache.get(at);
    while (data === undefined) {
      const entry = this.#file.entry(at);
      if (entry.type < offsetDelta) data = this.#inflate(at, entry, deltas.length > 0);
      else {
        if (deltas.push(at) > this.#limits.deltaDepth + 1) throw changed();
        const base = this.#baseOf(at, entry);
        if (typeof base === "number") {
          at = base;
          data = this.#cache.get(at);
        } else {
          at = -1;
          data = base;
        }
      }
    }
    // Most objects are read once: only what a delta was made of may be needed for the next one.
    if (at >= 0 && deltas.length > 0) this.#keep(at, data);
    for (const delta of deltas.reverse()) {
      data = this.#apply(data, delta);
      this.#keep(delta, data);
    }
    return data;
  }

  /** True for an object that `chunks` reads without having it in memory. */
  isWhole(row: number): boolean {
    return this.#file.entry(this.index.offsets[row] ?? 0).type < offsetDelta;
  }

  chunks(row: number): AsyncIterable<Buffer> {
    const offset = this.index.offsets[row] ?? 0;
    return this.#file.inflateChunks(offset, this.#file.entry(offset));
  }

  #inflate(offset: number, entry: PackEntry, isBase: boolean): Buffer {
    if (entry.size > (isBase ? this.#limits.deltaBytes : this.#limits.blobBytes)) throw changed();
    return this.#file.inflate(offset, entry).data;
  }

  #apply(base: Buffer, offset: number): Buffer {
    const delta = this.#inflate(offset, this.#file.entry(offset), true);
    if (deltaSizes(delta).result > this.#limits.deltaBytes) throw changed();
    return applyDelta(base, delta);
  }

  /** Where a delta's base is, or its bytes when they are in another packfile. */
  #baseOf(offset: number, entry: PackEntry): number | Buffer {
    if (entry.type !== idDelta) return offset - entry.baseDistance;
    const id = this.#file.baseId(offset, entry);
    const row = rowOf(this.index, id);
    return row < 0 ? this.#outside(id) : (this.index.offsets[row] ?? 0);
  }

  #keep(offset: number, data: Buffer): void {
    if (data.length < cachedBytes / 4) this.#cache.set(offset, unpooled(data));
  }
}

/** Bytes, with what a small object takes beside its own. */
function cacheCost(data: Buffer): number {
  return data.length + 300;
}

/** A small buffer is a part of a larger one that it would hold on to, with everything else in there. */
function unpooled(data: Buffer): Buffer {
  if (data.buffer.byteLength <= 2 * data.length) return data;
  const own = Buffer.allocUnsafeSlow(data.length);
  data.copy(own);
  return own;
}

/** Everything was judged when the packfile was indexed. */
function changed(): GitFailure {
  return new GitFailure("bad-answer", "has a packfile here that was changed after it was verified");
}
