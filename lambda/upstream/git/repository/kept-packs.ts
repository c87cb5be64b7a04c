import type { TemporaryFiles } from "../../../proxy/store/temporary-files.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { PackPlace } from "../pack/objects.ts";
import type { PackIndex } from "../pack/pack-index.ts";

/** A verified packfile on disk. */
export interface KeptPack extends PackPlace {
  /** Which one it was of all that came: its deltas may be made of objects in those before. */
  readonly number: number;
  readonly bytes: number;
}

type KeptLimits = Pick<GitLimits, "keptPacks" | "keptBytes" | "keptObjects">;

/**
 * The packfiles of all repositories, on disk until there are too many of them, or of their bytes: then those go that were not used for
 * longest and that nobody reads. A process that dies leaves files that `TemporaryFiles` sweeps; none is read by the next.
 */
export class KeptPacks {
  readonly #files: TemporaryFiles;
  readonly #limits: KeptLimits;
  /** The one used last is the last. */
  readonly #packs = new Set<KeptPack>();
  readonly #readers = new Map<KeptPack, number>();
  #count = 0;
  #bytes = 0;
  #objects = 0;

  constructor(files: TemporaryFiles, limits: KeptLimits) {
    this.#files = files;
    this.#limits = limits;
  }

  /** Keeps a file that is there. It is in use from here on, until it is released. */
  add(path: string, bytes: number, index: PackIndex): KeptPack {
    const pack = { number: this.#count++, path, bytes, index };
    this.#packs.add(pack);
    this.#readers.set(pack, 1);
    this.#bytes += bytes;
    this.#objects += index.types.length;
    this.#makeRoom();
    return pack;
  }

  /** False when one of them is gone; else all are in use until they are released. */
  use(packs: readonly KeptPack[]): boolean {
    if (!this.isHere(packs)) return false;
    for (const pack of packs) {
      this.#packs.delete(pack);
      this.#packs.add(pack);
      this.#readers.set(pack, (this.#readers.get(pack) ?? 0) + 1);
    }
    return true;
  }

  release(packs: readonly KeptPack[]): void {
    for (const pack of packs) {
      const readers = (this.#readers.get(pack) ?? 1) - 1;
      if (readers > 0) this.#readers.set(pack, readers);
      else this.#readers.delete(pack);
    }
    this.#makeRoom();
  }

  /** Removes one that is in use only because it was received. */
  drop(pack: KeptPack): void {
    this.#readers.delete(pack);
    this.#remove(pack);
  }

  isHere(packs: readonly KeptPack[]): boolean {
    return packs.every((pack) => this.#packs.has(pack));
  }

  async close(): Promise<void> {
    const paths = Array.from(this.#packs, ({ path }) => path);
    this.#packs.clear();
    await Promise.all(paths.map((path) => this.#files.remove(path)));
  }

  get #isFull(): boolean {
    const { keptPacks, keptBytes, keptObjects } = this.#limits;
    return this.#packs.size > keptPacks || this.#bytes > keptBytes || this.#objects > keptObjects;
  }

  #makeRoom(): void {
    for (const pack of this.#isFull ? [...this.#packs] : []) {
      if (!this.#isFull) return;
      if (this.#readers.has(pack)) continue;
      this.#remove(pack);
    }
  }

  #remove(pack: KeptPack): void {
    if (!this.#packs.delete(pack)) return;
    this.#bytes -= pack.bytes;
    this.#objects -= pack.index.types.length;
    // What cannot be removed now is swept later.
    this.#files.remove(pack.path).catch(() => {});
  }
}
