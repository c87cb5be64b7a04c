import { equalHashes } from "../../golang/tlog.ts";
import { type LogHead, type LogStore, recordsOfCommit } from "../store/log-store.ts";
import { firstHead } from "./appender.ts";
import { appended, emptyFrontier, type Frontier, type PlacedRow, treeOf } from "./growing-tree.ts";
import type { MendedNumbers } from "./mended-numbers.ts";
import type { RecordCopies } from "./record-copies.ts";
import { parseRecordText } from "./record-text.ts";
import type { VerifiedHead, VerifiedHeads } from "./verified-heads.ts";

/**
 * What became of a log's rows: nothing was missing, so many records got their number again that somebody had taken, so many
 * rows were made anew, or so many of what was signed can be found.
 */
export type Restored =
  | { readonly kind: "whole" }
  | { readonly kind: "renumbered"; readonly records: bigint }
  | { readonly kind: "restored"; readonly records: bigint }
  | { readonly kind: "lost"; readonly found: bigint; readonly signed: bigint };

export interface RestoreParts {
  readonly store: LogStore;
  readonly heads: VerifiedHeads;
  readonly copies: RecordCopies;
  readonly numbers: Pick<MendedNumbers, "mend">;
}

/**
 * Makes rows anew that were signed and are not in the table any more, because it was lost or is an older one, out of the
 * copies of the records; only where these lead to the root that was signed, and to the one that the table says.
 *
 * Rows and numbers that the head does not know of are removed first, and the numbers of records that it does know of are
 * made anew where they are missing. Proofs of public records are not among the copies. Throws `ServedError` "store-failed", "log-damaged".
 */
export async function restoreLog(parts: RestoreParts): Promise<Restored> {
  const { store, heads, copies, numbers } = parts;
  const signed = await heads.newest();
  const present = await store.head();
  const head = present ?? firstHead;
  if (signed === undefined || head.size >= signed.size) {
    const records = await numbers.mend(present);
    return records > 0n ? { kind: "renumbered", records } : { kind: "whole" };
  }
  const { frontier, agrees } = await fold(copies, head, signed.size);
  if (!agrees || frontier.size < signed.size || !equalHashes(treeOf(frontier).hash, signed.tree.hash))
    return { kind: "lost", found: frontier.size, signed: signed.size };
  await numbers.mend(present);
  await commitMissing(store, copies, signed);
  const { size } = (await store.head()) ?? firstHead;
  // Another process was quicker, and may not be done.
  if (size < signed.size)
    return size > head.size ? await restoreLog(parts) : { kind: "lost", found: size, signed: signed.size };
  await heads.keep(signed.note);
  return { kind: "restored", records: signed.size - head.size };
}

/** The log that the copies are of, up to what was signed, and whether the table's is its beginning. */
async function fold(copies: RecordCopies, head: LogHead, size: bigint) {
  let frontier: Frontier = emptyFrontier;
  let agrees = head.size === 0n;
  for await (const text of copies.read()) {
    if (frontier.size === size) break;
    frontier = appended(frontier, { text, proof: undefined }).frontier;
    if (frontier.size === head.size) agrees = equalHashes(treeOf(frontier).hash, head.root);
  }
  return { frontier, agrees };
}

async function commitMissing(store: LogStore, copies: RecordCopies, signed: VerifiedHead): Promise<void> {
  const present = await store.head();
  let before = present;
  let frontier: Frontier = emptyFrontier;
  let rows: PlacedRow[] = [];
  let numbers: { readonly module: { readonly path: string; readonly version: string }; readonly number: bigint }[] = [];
  for await (const text of copies.read()) {
    if (frontier.size === signed.size) break;
    const number = frontier.size;
    const next = appended(frontier, { text, proof: undefined });
    frontier = next.frontier;
    const module = parseRecordText(text)?.module;
    if (number < (present?.size ?? 0n) || module === undefined) continue;
    rows.push(...next.rows);
    numbers.push({ module, number });
    if (numbers.length < recordsOfCommit && frontier.size < signed.size) continue;
    const { n: size, hash: root } = treeOf(frontier);
    const after = { ...(before ?? firstHead), size, root };
    // Another process that restores the same log has the same rows.
    if ((await store.commit({ before, after, rows, numbers })) !== "committed") return;
    before = after;
    rows = [];
    numbers = [];
  }
}
