import { newVerifier, open, sign } from "../../golang/note.ts";
import { equalHashes, formatTree, type Tree } from "../../golang/tlog.ts";
import { nextTurn } from "../store/in-turns.ts";
import type { LogSigner } from "../store/log-signer.ts";
import type { LogPlace, LogRow, LogStore } from "../store/log-store.ts";
import { ServedError } from "../store/served-error.ts";
import { firstHead, shorterThan } from "./appender.ts";
import { appended, emptyFrontier, type Frontier, type PlacedRow, treeOf } from "./growing-tree.ts";
import { damaged, type LogRows } from "./log-rows.ts";
import type { RecordCopies } from "./record-copies.ts";
import { parseRecordText } from "./record-text.ts";
import type { VerifiedHead, VerifiedHeads } from "./verified-heads.ts";

/** Records that are read and hashed at once: those of a tile, of a few milliseconds. */
const atOnce = 256n;

/**
 * Signs what the log has become. It believes nothing but its own last signature: the root that was signed is computed again
 * from the rows, and from there on every record and every row above it, so that what is signed is an extension of what was
 * signed before, whatever happened to the table. Nobody hands it a text to sign.
 */
export class HeadSigning {
  readonly #store: Pick<LogStore, "head">;
  readonly #rows: LogRows;
  readonly #heads: VerifiedHeads;
  readonly #signer: LogSigner;
  readonly #copies: RecordCopies | undefined;

  constructor(
    store: Pick<LogStore, "head">,
    rows: LogRows,
    heads: VerifiedHeads,
    { signer, copies }: { readonly signer: LogSigner; readonly copies: RecordCopies | undefined },
  ) {
    this.#store = store;
    this.#rows = rows;
    this.#heads = heads;
    this.#signer = signer;
    this.#copies = copies;
  }

  /**
   * Returns a signed head of at least the size that the log had when this was called.
   *
   * Throws `ServedError` "log-damaged" where a row is not what was appended, "log-shorter" where fewer are there than were
   * signed, "log-unsigned" where the signer fails, "store-failed". Nothing is signed then.
   */
  async sign(): Promise<VerifiedHead> {
    // First, so that the head of the log, which is read after it, cannot be older.
    const last = await this.#heads.newest();
    const head = (await this.#store.head()) ?? firstHead;
    if (head.role !== "primary")
      throw new ServedError("store-failed", "the log of this region does not sign: it is a standby");
    if (last !== undefined && head.size < last.size) throw shorterThan(last.size, head.size);
    const tree = treeOf(await this.#extended(await this.#signed(last), head.size));
    if (!equalHashes(tree.hash, head.root))
      throw new ServedError(
        "log-damaged",
        "SECURITY ERROR: the records of the log do not lead to the root that its head says",
      );
    if (last?.size === head.size && last.settled) return last;
    const copied = this.#copies?.copy(tree);
    // It may fail while the note is made, and is waited for then.
    copied?.catch(() => {});
    return await this.#heads.keep(last?.size === head.size ? last.note : await this.#note(tree), copied);
  }

  /** What the log consisted of when it was signed last. */
  async #signed(last: VerifiedHead | undefined): Promise<Frontier> {
    if (last === undefined) return emptyFrontier;
    const frontier = await this.#rows.frontier(last.size);
    if (equalHashes(treeOf(frontier).hash, last.tree.hash)) return frontier;
    throw new ServedError(
      "log-damaged",
      "SECURITY ERROR: the rows of the log do not lead to the root that was signed last",
    );
  }

  /** What it consists of with every record since, each of whose rows must be as it was computed when it was appended. */
  async #extended(signed: Frontier, size: bigint): Promise<Frontier> {
    let frontier = signed;
    while (frontier.size < size) {
      const from = frontier.size;
      const end = (from / atOnce + 1n) * atOnce;
      const records = await this.#rows.range(0, from, end < size ? end : size);
      const above: PlacedRow[] = [];
      for (const record of records) {
        const place = { level: 0, number: frontier.size };
        const { text, proof } = record;
        if (text === undefined || parseRecordText(text) === undefined) throw damaged(place, "is no record");
        const next = appended(frontier, { text, proof });
        const [own, ...others] = next.rows;
        checkRow(place, record, own as PlacedRow);
        above.push(...others);
        frontier = next.frontier;
      }
      const kept = await this.#rows.at(above);
      for (const [i, row] of above.entries()) checkRow(row, kept[i] as LogRow, row);
      await nextTurn();
    }
    return frontier;
  }

  /** Verified before anybody sees it, whoever the signer is. */
  async #note(tree: Tree): Promise<Uint8Array> {
    try {
      const note = await sign({ text: formatTree(tree) }, this.#signer);
      open(note, [newVerifier(this.#signer.verifierKey)]);
      return note;
    } catch (cause) {
      throw new ServedError("log-unsigned", "the log cannot be signed at the moment: try again", { cause });
    }
  }
}

function checkRow(place: LogPlace, kept: LogRow, computed: LogRow): void {
  const isSame = computed.hashes.every((hash, i) => equalHashes(hash, kept.hashes[i] as Uint8Array));
  if (!isSame) throw damaged(place, "is not what was appended");
}
