import { applyDelta, deltaSizes } from "./delta.ts";
import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import { compareIds, idOrder } from "./id-order.ts";
import { idBytes, type ObjectFormat, objectHash, objectTypes } from "./object-id.ts";
import type { PackFile } from "./pack-file.ts";
import { type Budget, type ObjectVisitor, type PackScan, spend } from "./pack-scan.ts";

interface ResolveOptions {
  readonly format: ObjectFormat;
  readonly limits: GitLimits;
  readonly budget: Budget;
  readonly visit: ObjectVisitor;
  /** An object that the packfile does not have and that is here. */
  readonly outside: OutsideObjects;
}

/** Objects of other packfiles, verified, by their ids. */
export type OutsideObjects = (id: Uint8Array) => { readonly type: number; readonly data: Buffer } | undefined;

/** An object on the way from a whole one to the delta that is worked on. */
interface Step {
  /** Of the packfile; -1 of one from outside, which is only ever the first. */
  readonly entry: number;
  readonly type: number;
  /** Given up when there are too many bytes on the way, and made again when it is needed. */
  data: Buffer | undefined;
  /** Deltas to it that are still to be done. */
  readonly children: Iterator<number>;
}

/** Bytes of objects on the way that are held at once; the newest is always. */
const heldBytes = 48 << 20;

/**
 * Gives every delta of a scanned packfile its type, size and id, from each whole object down to the deltas on it and on
 * those in turn: as deep as `limits.deltaDepth`, without recursion, with a bounded number of bytes in memory.
 *
 * Throws `GitFailure`: "bad-answer" also when a base is neither in the packfile nor outside.
 */
export function resolveDeltas(file: PackFile, scan: PackScan, options: ResolveOptions): void {
  new DeltaWalk(file, scan, options).run();
}

class DeltaWalk {
  readonly #file: PackFile;
  readonly #scan: PackScan;
  readonly #options: ResolveOptions;
  readonly #children: Children;
  readonly #way: Step[] = [];
  #held = 0;
  #lowestHeld = 0;

  constructor(file: PackFile, scan: PackScan, options: ResolveOptions) {
    this.#file = file;
    this.#scan = scan;
    this.#options = options;
    this.#children = new Children(scan, idBytes[options.format]);
  }

  run(): void {
    const { types, count } = this.#scan;
    const whole = Uint8Array.from(types);
    for (let entry = 0; entry < count; entry++) {
      if (whole[entry] === 0 || !this.#children.has(entry)) continue;
      this.#from({ entry, type: whole[entry] ?? 0, data: this.#inflate(entry), children: this.#children.of(entry) });
    }
    for (const id of this.#children.outsideIds()) {
      const found = this.#options.outside(id);
      if (found === undefined) continue;
      spend(this.#options.budget, found.data.length);
      this.#from({ entry: -1, ...found, children: this.#children.ofId(id) });
    }
    if (types.includes(0)) throw new GitFailure("bad-answer", "sent a delta without what it is made of");
  }

  #from(root: Step): void {
    this.#push(root);
    for (;;) {
      const step = this.#way.at(-1);
      if (step === undefined) return;
      const next = step.children.next();
      if (next.done) this.#pop();
      else this.#resolve(next.value);
    }
  }

  #resolve(entry: number): void {
    const { types, sizes, ids } = this.#scan;
    const { format, limits, visit } = this.#options;
    if (types[entry] !== 0) throw new GitFailure("bad-answer", "sent deltas that lead back to themselves");
    const type = this.#way.at(-1)?.type ?? 0;
    const data = this.#apply(this.#topData(), entry, type);
    const id = objectHash(format, type, data.length).update(data).digest();
    types[entry] = type;
    sizes[entry] = data.length;
    ids.set(id, entry * id.length);
    visit(type, id, data);
    if (!this.#children.has(entry)) return;
    if (this.#way.length > limits.deltaDepth) throw new GitFailure("too-large", "sent deltas on deltas without end");
    this.#push({ entry, type, data, children: this.#children.of(entry) });
  }

  #apply(base: Buffer, entry: number, type: number): Buffer {
    const delta = this.#inflate(entry);
    const { deltaBytes, treeBytes } = this.#options.limits;
    const limit = type === objectTypes.blob ? deltaBytes : Math.min(treeBytes, deltaBytes);
    const { result } = deltaSizes(delta);
    if (result > limit) throw new GitFailure("too-large", `has an object of more than ${limit} bytes as a delta`);
    spend(this.#options.budget, result);
    return applyDelta(base, delta);
  }

  #inflate(entry: number): Buffer {
    const offset = this.#scan.offsets[entry] ?? 0;
    const header = this.#file.entry(offset);
    if (header.size > this.#options.limits.deltaBytes) {
      throw new GitFailure("too-large", "has deltas to an object that is too large for them");
    }
    spend(this.#options.budget, header.size);
    return this.#file.inflate(offset, header).data;
  }

  #push(step: Step): void {
    this.#way.push(step);
    this.#held += step.data?.length ?? 0;
    // The oldest are needed last.
    while (this.#held > heldBytes && this.#lowestHeld < this.#way.length - 1) {
      const step = this.#way[this.#lowestHeld++];
      if (step === undefined || step.entry < 0) continue;
      this.#held -= step.data?.length ?? 0;
      step.data = undefined;
    }
  }

  #pop(): void {
    this.#held -= this.#way.pop()?.data?.length ?? 0;
    this.#lowestHeld = Math.min(this.#lowestHeld, this.#way.length);
  }

  /** The newest object's data, made again from the nearest that is held, or from the whole one. */
  #topData(): Buffer {
    const top = this.#way.at(-1);
    if (top?.data !== undefined) return top.data;
    const bottom = Math.max(
      0,
      this.#way.findLastIndex((step) => step.data !== undefined),
    );
    const first = this.#way[bottom];
    let data = first?.data ?? this.#inflate(first?.entry ?? 0);
    for (const step of this.#way.slice(bottom + 1)) data = this.#apply(data, step.entry, step.type);
    if (top !== undefined) {
      top.data = data;
      this.#held += data.length;
      this.#lowestHeld = this.#way.length - 1;
    }
    return data;
  }
}

/** Which entries are deltas to an entry. */
class Children {
  readonly #scan: PackScan;
  readonly #idLength: number;
  /** Deltas to offsets: the first on an entry, and the next on the same; -1 ends. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** Deltas to ids, in the order of those ids, which stand beside them: their own place gets their own id. */
  readonly #entries: Int32Array;
  readonly #baseIds: Uint8Array;

  constructor(scan: PackScan, idLength: number) {
    this.#scan = scan;
    this.#idLength = idLength;
    this.#first = new Int32Array(scan.count).fill(-1);
    this.#next = new Int32Array(scan.count).fill(-1);
    // From the last, so that each list begins with the first.
    for (let i = scan.count - 1; i >= 0; i--) {
      const base = scan.bases[i] ?? -1;
      if (base < 0) continue;
      this.#next[i] = this.#first[base] ?? -1;
      this.#first[base] = i;
    }
    const unsorted = new Uint8Array(scan.byId.length * idLength);
    for (const [k, entry] of scan.byId.entries()) {
      unsorted.set(scan.ids.subarray(entry * idLength, (entry + 1) * idLength), k * idLength);
    }
    const order = idOrder(unsorted, scan.byId.length, idLength);
    this.#entries = Int32Array.from(order, (k) => scan.byId[k] ?? 0);
    this.#baseIds = new Uint8Array(unsorted.length);
    for (const [k, from] of order.entries()) {
      this.#baseIds.set(unsorted.subarray(from * idLength, (from + 1) * idLength), k * idLength);
    }
  }

  has(entry: number): boolean {
    return this.#first[entry] !== -1 || this.#isAt(this.#lowerBound(this.#idOf(entry)), this.#idOf(entry));
  }

  *of(entry: number): Generator<number, void> {
    for (let child = this.#first[entry] ?? -1; child >= 0; child = this.#next[child] ?? -1) yield child;
    yield* this.ofId(this.#idOf(entry));
  }

  *ofId(id: Uint8Array): Generator<number, void> {
    for (let k = this.#lowerBound(id); this.#isAt(k, id); k++) yield this.#entries[k] ?? 0;
  }

  /** The bases of deltas that are still to be done. */
  *outsideIds(): Generator<Uint8Array, void> {
    for (const [k, entry] of this.#entries.entries()) {
      if (this.#scan.types[entry] !== 0) continue;
      const id = this.#baseIds.subarray(k * this.#idLength, (k + 1) * this.#idLength);
      if (k === 0 || this.#compare(k - 1, id) !== 0) yield id;
    }
  }

  #idOf(entry: number): Uint8Array {
    return this.#scan.ids.subarray(entry * this.#idLength, (entry + 1) * this.#idLength);
  }

  #lowerBound(id: Uint8Array): number {
    let low = 0;
    for (let high = this.#entries.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isAt(k: number, id: Uint8Array): boolean {
    return k < this.#entries.length && this.#compare(k, id) === 0;
  }

  #compare(k: number, id: Uint8Array): number {
    return compareIds(this.#baseIds, k * this.#idLength, id, 0, this.#idLength);
  }
}
