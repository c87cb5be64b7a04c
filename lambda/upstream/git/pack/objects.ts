import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import { isObjectId, type ObjectFormat, type ObjectId, objectHash, objectTypes } from "./object-id.ts";
import { streamedBytes } from "./pack-file.ts";
import { type PackIndex, rowOf } from "./pack-index.ts";
import { PackObjects } from "./pack-objects.ts";
import { type TreeFile, walkTree } from "./tree-files.ts";

/** A packfile on disk, verified, with what is in it. */
export interface PackPlace {
  readonly path: string;
  readonly index: PackIndex;
}

/** Where a snapshot's objects are: plain data, which a thread can be given. */
export interface SnapshotPlace {
  readonly objectFormat: ObjectFormat;
  readonly tree: ObjectId;
  /** Every object that the snapshot promises is in one of them. Each may need those behind it. */
  readonly packs: readonly PackPlace[];
}

/** An object and where it is. */
interface Found {
  readonly pack: PackObjects;
  readonly row: number;
}

/**
 * Verified objects on disk, read synchronously but for large blobs: for threads. To be closed.
 *
 * An object that is read is hashed once more: a medium that lies does not get into a module.
 */
export class Objects {
  readonly #format: ObjectFormat;
  readonly #packs: readonly PackObjects[];
  readonly #limits: GitLimits;

  constructor({ objectFormat, packs }: Pick<SnapshotPlace, "objectFormat" | "packs">, limits: GitLimits) {
    this.#format = objectFormat;
    this.#limits = limits;
    const opened: PackObjects[] = [];
    this.#packs = opened;
    try {
      // The newest come first: what a packfile's deltas are made of is in those behind it.
      for (const [i, { path, index }] of packs.entries()) {
        const outside = (id: Uint8Array) => this.#outside(id, i + 1);
        opened.push(new PackObjects(path, index, { format: objectFormat, limits, outside }));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    for (const pack of this.#packs) pack.close();
  }

  has(id: ObjectId): boolean {
    return this.#find(id) !== undefined;
  }

  /**
   * The files of a tree in its order, folder by folder; with `paths` those that are one of them or lie below.
   *
   * Throws "missing-object", "wrong-type", "bad-answer" (a tree that is malformed or holds names that are dangerous) and
   * "too-large", each when it comes to it.
   */
  files(tree: ObjectId, paths?: readonly string[]): Generator<TreeFile, void> {
    const source = { tree: (id: ObjectId) => this.read(id, objectTypes.tree), size: (id: ObjectId) => this.#size(id) };
    return walkTree(tree, { format: this.#format, limits: this.#limits, source, paths });
  }

  /** A commit, tree or tag as it is stored: not to be changed. "missing-object", "wrong-type". */
  read(id: ObjectId, type: number, limit = this.#limits.treeBytes): Buffer {
    const { pack, row } = this.#findAs(id, type, limit);
    const data = pack.read(row);
    this.#check(id, objectHash(this.#format, type, data.length).update(data).digest("hex"));
    return data;
  }

  /** A blob as it is stored: not to be changed. "missing-object", "wrong-type", "too-large" above `limit` bytes. */
  blob(id: ObjectId, limit: number): Buffer {
    return this.read(id, objectTypes.blob, limit);
  }

  /** The same in pieces, not to be changed either: a large blob that is no delta is never in memory as a whole. */
  async *blobChunks(id: ObjectId): AsyncGenerator<Uint8Array, void> {
    const { pack, row } = this.#findAs(id, objectTypes.blob, this.#limits.blobBytes);
    const size = pack.index.sizes[row] ?? 0;
    if (size <= streamedBytes || !pack.isWhole(row)) {
      yield this.blob(id, this.#limits.blobBytes);
      return;
    }
    const hash = objectHash(this.#format, objectTypes.blob, size);
    for await (const chunk of pack.chunks(row)) {
      hash.update(chunk);
      yield chunk;
    }
    this.#check(id, hash.digest("hex"));
  }

  /** Any object, by an id as bytes, with its type. */
  readAny(id: Uint8Array): { readonly type: number; readonly data: Buffer } | undefined {
    for (const pack of this.#packs) {
      const row = rowOf(pack.index, id);
      if (row >= 0) return { type: pack.index.types[row] ?? 0, data: pack.read(row) };
    }
    return undefined;
  }

  #outside(id: Uint8Array, from: number): Buffer {
    for (const pack of this.#packs.slice(from)) {
      const row = rowOf(pack.index, id);
      if (row >= 0) return pack.read(row);
    }
    throw new GitFailure("missing-object", "has a delta here without what it is made of");
  }

  #size(id: ObjectId): number | undefined {
    const found = this.#find(id);
    if (found === undefined) return undefined;
    if (found.pack.index.types[found.row] !== objectTypes.blob) throw wrongType();
    return found.pack.index.sizes[found.row];
  }

  #findAs(id: ObjectId, type: number, limit: number): Found {
    const found = this.#find(id);
    if (found === undefined) throw new GitFailure("missing-object", "did not send an object that others name");
    if (found.pack.index.types[found.row] !== type) throw wrongType();
    if ((found.pack.index.sizes[found.row] ?? 0) > limit) {
      throw new GitFailure("too-large", `has an object of more than ${limit} bytes`);
    }
    return found;
  }

  #find(id: ObjectId): Found | undefined {
    if (!isObjectId(id, this.#format)) return undefined;
    const bytes = Buffer.from(id, "hex");
    for (const pack of this.#packs) {
      const row = rowOf(pack.index, bytes);
      if (row >= 0) return { pack, row };
    }
    return undefined;
  }

  #check(id: ObjectId, actual: ObjectId): void {
    if (actual !== id) {
      throw new GitFailure("bad-answer", "has an object here whose bytes were changed after they were verified");
    }
  }
}

function wrongType(): GitFailure {
  return new GitFailure("wrong-type", "has an object that is not what others say it is");
}
