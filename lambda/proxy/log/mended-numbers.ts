import { equalHashes } from "../../golang/tlog.ts";
import { nextTurn } from "../store/in-turns.ts";
import type { LogCommit, LogHead, LogMending } from "../store/log-store.ts";
import { ServedError } from "../store/served-error.ts";
import { appended, emptyFrontier, treeOf } from "./growing-tree.ts";
import type { LogRows } from "./log-rows.ts";
import { parseRecordText } from "./record-text.ts";

/** Records that are read at once: those of a tile. */
const atOnce = 256n;

/**
 * The numbers by which records are found, held against the records themselves: of a version whose number is missing the log
 * would know nothing, so that it entered once more, with other bytes perhaps.
 */
export class MendedNumbers {
  readonly #mending: LogMending | undefined;
  readonly #rows: LogRows;

  /** Without `mending` nothing is looked at. */
  constructor(mending: LogMending | undefined, rows: LogRows) {
    this.#mending = mending;
    this.#rows = rows;
  }

  /**
   * Removes what this head, the present one, does not know of, and gives records their number that have none; returns how
   * many those are. Reads the records only where it has to.
   *
   * Throws `ServedError` "log-damaged" where they do not lead to the head, or a version has two; "store-failed".
   */
  async mend(head: LogHead | undefined): Promise<bigint> {
    const size = head?.size ?? 0n;
    if (this.#mending === undefined) return 0n;
    const before = await this.#mending.trim(head);
    // Who outgrew it has just seen that there are as many numbers as records.
    if (before === size || before === "outgrown") return 0n;
    if (head !== undefined) await this.#prove(head);
    for await (const numbers of this.#numbers(size)) await this.#mending.addNumbers(numbers);
    const after = await this.#mending.trim(head);
    if (after === "outgrown") return 0n;
    if (after === size) return after - before;
    throw new ServedError(
      "log-damaged",
      `SECURITY ERROR: the ${size} records of the log are of ${after} module versions: nothing is appended to it until ` +
        "index.sqlite is restored from a backup",
    );
  }

  async #prove({ size, root }: LogHead): Promise<void> {
    let frontier = emptyFrontier;
    for await (const texts of this.#texts(size))
      for (const text of texts) frontier = appended(frontier, { text, proof: undefined }).frontier;
    if (equalHashes(treeOf(frontier).hash, root)) return;
    throw new ServedError(
      "log-damaged",
      "SECURITY ERROR: numbers of records are missing from the log, and its records do not lead to the root that its head says",
    );
  }

  async *#numbers(size: bigint): AsyncIterable<LogCommit["numbers"]> {
    let number = 0n;
    for await (const texts of this.#texts(size)) {
      const modules = texts.map((text) => parseRecordText(text)?.module);
      const from = number;
      number += BigInt(texts.length);
      yield modules.flatMap((module, i) => (module === undefined ? [] : [{ module, number: from + BigInt(i) }]));
    }
  }

  async *#texts(size: bigint): AsyncIterable<readonly Uint8Array[]> {
    for (let from = 0n; from < size; from += atOnce) {
      const end = from + atOnce < size ? from + atOnce : size;
      const rows = await this.#rows.range(0, from, end);
      yield rows.map(({ text = new Uint8Array() }) => text);
      await nextTurn();
    }
  }
}
