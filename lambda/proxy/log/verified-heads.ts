import { isCodedError } from "../../golang/coded-error.ts";
import { newVerifier, open, type Verifier } from "../../golang/note.ts";
import { equalHashes, parseTree, type Tree } from "../../golang/tlog.ts";
import { logKey, policies } from "../store/layout.ts";
import type { SignedHead, SignedHeads } from "../store/log-store.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { ServedError } from "../store/served-error.ts";

/** A signed head whose signature was verified, and the tree it is of. */
export interface VerifiedHead extends SignedHead {
  readonly tree: Tree;
}

/** How many copies stay, and how many of the older are removed with each new one: beside it, for each waits for the disk. */
const keptCopies = 4;
const removedAtOnce = 2;

/**
 * The signed heads of our log: the newest in the table, and copies of what was signed among the files, where no backup of
 * the table reaches. A copy is there before anybody sees the head.
 *
 * Throws `ServedError` "log-damaged" for a head that is not signed by the log's key, and "store-failed".
 */
export class VerifiedHeads {
  readonly #heads: SignedHeads;
  readonly #files: ModuleStore;
  readonly #verifier: Verifier;
  #copies: readonly string[] = [];
  #last: VerifiedHead | undefined;

  /** `verifierKey` is the log's `"name+hash+key"`. */
  constructor(heads: SignedHeads, files: ModuleStore, verifierKey: string) {
    this.#heads = heads;
    this.#files = files;
    this.#verifier = newVerifier(verifierKey);
  }

  get name(): string {
    return this.#verifier.name;
  }

  /** The newest in the table. */
  async read(): Promise<VerifiedHead | undefined> {
    const head = await this.#heads.read(this.name);
    return head && this.#verified(head.note, head.size);
  }

  /** The newest of table and copies; `settled` when it is in both. */
  async newest(): Promise<(VerifiedHead & { readonly settled: boolean }) | undefined> {
    const [head, copy] = await Promise.all([this.read(), this.#newestCopy()]);
    const newest = head === undefined || (copy !== undefined && copy.size > head.size) ? copy : head;
    if (newest === undefined) return undefined;
    const settled = head?.size === copy?.size;
    if (settled && head && copy) checkSame(head, copy);
    return { ...newest, settled };
  }

  /** Keeps a head that was just signed, first the copies, `beside` too; returns the newest in the table then. */
  async keep(note: Uint8Array, beside?: Promise<void>): Promise<VerifiedHead> {
    const signed = this.#verified(note);
    const { size } = signed;
    const older = this.#copies.slice(0, -keptCopies).slice(0, removedAtOnce);
    await Promise.all([this.#copy(signed), beside, ...older.map((key) => this.#files.remove(key))]);
    const head = await this.#heads.grow(this.name, { size, note });
    return this.#verified(head.note, head.size);
  }

  /** A copy that is there already is by who signed at the same moment: of another table's records where an index was replaced. */
  async #copy(signed: VerifiedHead): Promise<void> {
    const key = copyKey(this.name, signed.size);
    if (await this.#files.create(key, signed.note, policies.internal)) return;
    const copy = await this.#files.read(key);
    // Else it was removed meanwhile, because there are newer ones.
    if (copy !== undefined) checkSame(this.#open(copy), signed);
  }

  async #newestCopy(): Promise<VerifiedHead | undefined> {
    for (;;) {
      const keys: string[] = [];
      for await (const key of this.#files.keys(copyKey(this.name))) keys.push(key);
      this.#copies = keys.sort();
      const newest = keys.at(-1);
      if (newest === undefined) return undefined;
      const note = await this.#files.read(newest);
      // Else it was removed meanwhile, because there is a newer one.
      if (note !== undefined) return this.#verified(note);
    }
  }

  #verified(note: Uint8Array, size?: bigint): VerifiedHead {
    const last = this.#last;
    const known = last !== undefined && Buffer.compare(last.note, note) === 0 ? last : undefined;
    const head = known ?? this.#open(note);
    if (size !== undefined && size !== head.size) throw unsound();
    this.#last = head;
    return head;
  }

  #open(note: Uint8Array): VerifiedHead {
    try {
      const tree = parseTree(open(note, [this.#verifier]).text);
      return { size: tree.n, note, tree };
    } catch (cause) {
      if (isCodedError(cause)) throw unsound(cause);
      throw cause;
    }
  }
}

function checkSame(head: VerifiedHead, other: VerifiedHead): void {
  if (!equalHashes(head.tree.hash, other.tree.hash))
    throw new ServedError("log-damaged", "SECURITY ERROR: two heads of the same size were signed for the log");
}

function unsound(cause?: unknown): ServedError {
  return new ServedError("log-damaged", "SECURITY ERROR: a head of the log is not what its key signed", { cause });
}

/** Of as many digits as the largest size has, so that their order is that of the sizes. */
function copyKey(name: string, size?: bigint): string {
  return logKey(name, `head/${size === undefined ? "" : String(size).padStart(19, "0")}`);
}
