import type { Commit } from "../pack/commit.ts";
import type { KeptPack, KeptPacks } from "./kept-packs.ts";
import type { Shareable } from "./shared-calls.ts";

/** A commit and packfiles that have of it what was asked for; in use until it is released. */
export class HeldCommit implements Shareable<HeldCommit> {
  readonly commit: Commit;
  readonly packs: readonly KeptPack[];
  readonly #hold: PackHold;

  constructor(commit: Commit, packs: readonly KeptPack[], hold: PackHold) {
    this.commit = commit;
    this.packs = packs;
    this.#hold = hold;
  }

  share(): HeldCommit {
    return new HeldCommit(this.commit, this.packs, this.#hold.share());
  }

  release(): void {
    this.#hold.release();
  }
}

/** Packfiles that are in use together, so that none of them is removed. */
export class PackHold {
  readonly #kept: KeptPacks;
  readonly #packs = new Set<KeptPack>();

  constructor(kept: KeptPacks) {
    this.#kept = kept;
  }

  /** False when one of them is gone, and then none is in use because of this. */
  use(packs: readonly KeptPack[]): boolean {
    const more = packs.filter((pack) => !this.#packs.has(pack));
    if (!this.#kept.use(more)) return false;
    for (const pack of more) this.#packs.add(pack);
    return true;
  }

  /** Takes over one that is in use since it was received. */
  add(pack: KeptPack): void {
    this.#packs.add(pack);
  }

  share(): PackHold {
    const hold = new PackHold(this.#kept);
    hold.use([...this.#packs]);
    return hold;
  }

  release(): void {
    const packs = [...this.#packs];
    this.#packs.clear();
    this.#kept.release(packs);
  }
}
