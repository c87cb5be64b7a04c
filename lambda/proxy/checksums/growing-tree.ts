import { emptyHash, hashSize, nodeHash } from "../../golang/tlog.ts";

/** A complete subtree: its height above the records, and its hash. */
interface Complete {
  readonly level: number;
  readonly hash: Uint8Array;
}

/** The tree over hashes that come one after the other, of which only the largest complete subtrees are kept. */
export class GrowingTree {
  readonly #complete: Complete[];

  constructor(complete: readonly Complete[] = []) {
    this.#complete = [...complete];
  }

  /** Adds the hash of the next subtree of height `level`, which begins at a multiple of its own size. */
  push(level: number, hash: Uint8Array): void {
    let grown: Complete = { level, hash };
    for (let left = this.#complete.at(-1); left?.level === grown.level; left = this.#complete.at(-1)) {
      this.#complete.pop();
      grown = { level: grown.level + 1, hash: nodeHash(left.hash, grown.hash) };
    }
    this.#complete.push(grown);
  }

  /** The hash of all that was added. */
  root(): Uint8Array {
    const [last, ...others] = [...this.#complete].reverse();
    if (last === undefined) return emptyHash;
    return others.reduce((right, { hash }) => nodeHash(hash, right), last.hash);
  }

  /** The hash of all that was added and of these records' hashes, which follow one another. */
  rootWith(hashes: Uint8Array): Uint8Array {
    const grown = new GrowingTree(this.#complete);
    for (const hash of hashesOf(hashes)) grown.push(0, hash);
    return grown.root();
  }
}

/** The hashes of a tile one by one. */
export function* hashesOf(tile: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at + hashSize <= tile.length; at += hashSize) yield tile.subarray(at, at + hashSize);
}

/** The hash of a tile as a whole, which is one of the tile above it. */
export function fullTileHash(tile: Uint8Array): Uint8Array {
  const tree = new GrowingTree();
  for (const hash of hashesOf(tile)) tree.push(0, hash);
  return tree.root();
}
