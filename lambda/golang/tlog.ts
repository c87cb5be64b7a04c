// Port of golang.org/x/mod/sumdb/tlog (tlog.go, note.go): the transparency log, proofs compatible with RFC 6962.

import { createHash, hash as hashOnce } from "node:crypto";
import { CodedError } from "./coded-error.ts";
import { decodeBase64, encodeBase64, parseDecimal } from "./encoding.ts";

/** What can be wrong with trees, records and proofs. */
export type TlogErrorCode =
  | "tlog-invalid-input"
  | "tlog-proof-failed"
  | "tlog-malformed-tree"
  | "tlog-malformed-record";

/** The size of a hash in bytes. */
export const hashSize = 32;

/** A log of `n` records and the hash of its root: what a head says. */
export interface Tree {
  readonly n: bigint;
  readonly hash: Uint8Array;
}

/**
 * Returns the hashes at the stored hash indexes, one for each and in their order, or throws.
 *
 * The functions below ask once, in increasing order of the indexes.
 */
export type HashReader = (indexes: readonly bigint[]) => Promise<readonly Uint8Array[]>;

/** Returns the hash of a record's text: SHA-256 of 0x00 and the text (RFC 6962 section 2.1). */
export function recordHash(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update("\0").update(data).digest());
}

/** What is hashed of a node: 0x01, left, right. Used again, and digests are strings: fresh bytes cost more than hashing. */
const node = Buffer.alloc(1 + 2 * hashSize, 1);

/** Returns the hash of the node above two hashes: SHA-256 of 0x01, left, right (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.fill(0, 1);
  node.set(left, 1);
  node.set(right, 1 + hashSize);
  return new Uint8Array(Buffer.from(hashOnce("sha256", node, "binary"), "binary"));
}

/** Writes nodeHash of the two hashes that begin at `from` in `hashes` to `to`. */
export function writeNodeHash(hashes: Buffer, from: number, to: number): void {
  hashes.copy(node, 1, from, from + 2 * hashSize);
  hashes.write(hashOnce("sha256", node, "binary"), to, "binary");
}

/** True when two hashes are the same. */
export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Returns where the n'th hash of a level lies in the dense order in which a growing log writes its hashes. */
export function storedHashIndex(level: number, n: bigint): bigint {
  // A node is written right after the leaf that completes it, below it all nodes that the same leaf completes. Before
  // a leaf there are as many leaves as its number, half as many nodes above them, and so on: 2n less the 1 bits of n.
  const leaf = ((n + 1n) << BigInt(level)) - 1n;
  return (leaf << 1n) - BigInt(ones(leaf) - level);
}

/** A complete subtree: the n'th of those whose root is `level` levels above the records. */
export interface Subtree {
  readonly level: number;
  readonly n: bigint;
}

/** Returns level and number of the hash at a stored hash index: the inverse of storedHashIndex. */
export function splitStoredHashIndex(index: bigint): Subtree {
  // Leaf n lies below 2n and not more than log₂ n below it, so the leaf that wrote the index is at or soon after index/2.
  let n = index >> 1n;
  let start = storedHashIndex(0, n);
  for (;;) {
    const next = start + 1n + BigInt(trailingOnes(n));
    if (next > index) break;
    n++;
    start = next;
  }
  const level = Number(index - start);
  return { level, n: n >> BigInt(level) };
}

/** Returns how many hashes are stored for a log of `n` records. */
export function storedHashCount(n: bigint): bigint {
  if (n === 0n) return 0n;
  return storedHashIndex(0, n - 1n) + 1n + BigInt(trailingOnes(n - 1n));
}

/**
 * Returns the hashes to store, from storedHashIndex(0, n) on, when `data` is written as record `n`.
 *
 * That is the record's own hash and one for each subtree it completes, for which at most log₂ n earlier ones are read.
 */
export async function storedHashes(n: bigint, data: Uint8Array, read: HashReader): Promise<Uint8Array[]> {
  return storedHashesForRecordHash(n, recordHash(data), read);
}

/** Like storedHashes, with the record's hash instead of the record. */
export async function storedHashesForRecordHash(n: bigint, hash: Uint8Array, read: HashReader): Promise<Uint8Array[]> {
  const completed = trailingOnes(n);
  const siblings = Array.from({ length: completed }, (_, level) => storedHashIndex(level, (n >> BigInt(level)) - 1n));
  const old = (await readAll(read, siblings.toReversed())).toReversed();
  const hashes = [hash];
  for (const sibling of old) hashes.push(nodeHash(sibling, hashes.at(-1) as Uint8Array));
  return hashes;
}

/** The hash of the log without records: SHA-256 of nothing (RFC 6962 section 2.1). */
export const emptyHash: Uint8Array = new Uint8Array(hashOnce("sha256", "", "buffer"));

/** Returns the root hash of the log's first `n` records. */
export async function treeHash(n: bigint, read: HashReader): Promise<Uint8Array> {
  if (n === 0n) return emptyHash;
  const [hash] = await rangeHashes([{ lo: 0n, hi: n }], read);
  return hash as Uint8Array;
}

/**
 * Returns the complete subtrees that records lo (inclusive) to hi (exclusive) consist of, from left to right; `lo` is a
 * multiple of the largest.
 */
export function subtrees(lo: bigint, hi: bigint): Subtree[] {
  const found: Subtree[] = [];
  for (let start = lo; start < hi; ) {
    const level = floorLog2(hi - start);
    found.push({ level, n: start >> BigInt(level) });
    start += 1n << BigInt(level);
  }
  return found;
}

/** Returns the stored hash indexes of these subtrees. */
export function subTreeIndex(lo: bigint, hi: bigint): bigint[] {
  return subtrees(lo, hi).map(({ level, n }) => storedHashIndex(level, n));
}

/** Returns the proof that record `n` is in the log of `t` records: the sibling hashes, lowest first. */
export async function proveRecord(t: bigint, n: bigint, read: HashReader): Promise<Uint8Array[]> {
  checkInput(n >= 0n && n < t);
  return rangeHashes(recordPath(t, n).siblings.map(rangeOf), read);
}

/**
 * Checks the proof that the log of `t` records with root hash `th` has a record `n` with hash `h`.
 *
 * Throws "tlog-proof-failed".
 */
export function checkRecord(proof: readonly Uint8Array[], t: bigint, th: Uint8Array, n: bigint, h: Uint8Array): void {
  checkInput(n >= 0n && n < t);
  const { siblings } = recordPath(t, n);
  if (proof.length !== siblings.length) throw proofFailed();
  let hash = h;
  for (const [i, { side }] of siblings.entries()) {
    const sibling = proof[i] as Uint8Array;
    hash = side === "left" ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  if (!equalHashes(hash, th)) throw proofFailed();
}

/** Returns the proof that the log of `t` records begins with the log of its first `n`. */
export async function proveTree(t: bigint, n: bigint, read: HashReader): Promise<Uint8Array[]> {
  checkInput(n >= 1n && n <= t);
  const { siblings, rest } = treePath(t, n);
  return rangeHashes([...(rest === undefined ? [] : [rest]), ...siblings.map(rangeOf)], read);
}

/**
 * Checks the proof that the log of `t` records with root hash `th` begins with the log of `n` with root hash `h`.
 *
 * Throws "tlog-proof-failed".
 */
export function checkTree(proof: readonly Uint8Array[], t: bigint, th: Uint8Array, n: bigint, h: Uint8Array): void {
  checkInput(n >= 1n && n <= t);
  const { siblings, rest } = treePath(t, n);
  const common = rest === undefined ? [h, ...proof] : proof;
  if (common.length !== siblings.length + 1) throw proofFailed();
  let older = common[0] as Uint8Array;
  let newer = older;
  for (const [i, { side }] of siblings.entries()) {
    const sibling = common[i + 1] as Uint8Array;
    if (side === "left") older = nodeHash(sibling, older);
    newer = side === "left" ? nodeHash(sibling, newer) : nodeHash(newer, sibling);
  }
  if (!equalHashes(older, h) || !equalHashes(newer, th)) throw proofFailed();
}

/** Records lo (inclusive) to hi (exclusive). */
interface Range {
  readonly lo: bigint;
  readonly hi: bigint;
}

/** A subtree beside a path from the root, and on which side of the path it is. */
interface Sibling extends Range {
  readonly side: "left" | "right";
}

function rangeOf({ lo, hi }: Sibling): Range {
  return { lo, hi };
}

/** The subtrees beside the way from the root of `t` records to record n, lowest first. */
function recordPath(t: bigint, n: bigint): { readonly siblings: readonly Sibling[] } {
  return descend(
    t,
    (lo, hi) => lo + 1n === hi,
    (middle) => n < middle,
  );
}

/**
 * The subtrees beside the way from the root of `t` records to the subtree that ends with record n-1, lowest first; and
 * that subtree as `rest`, unless it is the whole older log, whose hash the verifier knows.
 */
function treePath(t: bigint, n: bigint): { readonly siblings: readonly Sibling[]; readonly rest: Range | undefined } {
  const { siblings, end } = descend(
    t,
    (_, hi) => hi === n,
    (middle) => n <= middle,
  );
  return { siblings, rest: end.lo === 0n ? undefined : end };
}

function descend(t: bigint, arrived: (lo: bigint, hi: bigint) => boolean, isLeft: (middle: bigint) => boolean) {
  const siblings: Sibling[] = [];
  let [lo, hi] = [0n, t];
  while (!arrived(lo, hi)) {
    // The left half of a tree is the largest power of two smaller than the tree.
    const middle = lo + (1n << BigInt(floorLog2(hi - lo - 1n)));
    if (isLeft(middle)) {
      siblings.push({ side: "right", lo: middle, hi });
      hi = middle;
    } else {
      siblings.push({ side: "left", lo, hi: middle });
      lo = middle;
    }
  }
  return { siblings: siblings.reverse(), end: { lo, hi } };
}

/** The hash of each range, read in one go and in increasing order. The ranges are disjoint. */
async function rangeHashes(ranges: readonly Range[], read: HashReader): Promise<Uint8Array[]> {
  const sorted = ranges.toSorted((a, b) => (a.lo < b.lo ? -1 : 1));
  const parts = sorted.map(({ lo, hi }) => subTreeIndex(lo, hi));
  const hashes = await readAll(read, parts.flat());
  const byRange = new Map<Range, Uint8Array>();
  let from = 0;
  for (const [i, part] of parts.entries()) {
    const roots = hashes.slice(from, from + part.length);
    byRange.set(
      sorted[i] as Range,
      roots.reduceRight((right, left) => nodeHash(left, right)),
    );
    from += part.length;
  }
  return ranges.map((range) => byRange.get(range) as Uint8Array);
}

async function readAll(read: HashReader, indexes: readonly bigint[]): Promise<readonly Uint8Array[]> {
  if (indexes.length === 0) return [];
  const hashes = await read(indexes);
  checkInput(hashes.length === indexes.length);
  return hashes;
}

/** The number of 1 bits at the low end of n: how many subtrees record n completes. */
function trailingOnes(n: bigint): number {
  let count = 0;
  for (let rest = n; rest & 1n; rest >>= 1n) count++;
  return count;
}

/** The number of 1 bits of n. */
function ones(n: bigint): number {
  let count = 0;
  for (let rest = n; rest > 0n; rest >>= 32n) {
    // Neighbours are added up: 32 sums of one bit become 16 of two, and so on.
    let sums = Number(BigInt.asUintN(32, rest));
    sums -= (sums >>> 1) & 0x55555555;
    sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
    sums = (sums + (sums >>> 4)) & 0x0f0f0f0f;
    count += (sums * 0x01010101) >>> 24;
  }
  return count;
}

/** The largest k with 2^k <= n; n is at least 1. */
function floorLog2(n: bigint): number {
  const high = n >> 32n;
  return high > 0n ? 32 + floorLog2(high) : 31 - Math.clz32(Number(n));
}

const treePrefix = "go.sum database tree\n";
const maxTreeText = 1_000_000;

/** Returns the text of a head's note: three lines, the last with the hash in base64. */
export function formatTree(tree: Tree): string {
  return `${treePrefix}${tree.n}\n${encodeBase64(tree.hash)}\n`;
}

/** Returns the tree in a head's text; lines after the third are ignored. Throws "tlog-malformed-tree". */
export function parseTree(text: string): Tree {
  if (!text.startsWith(treePrefix) || Buffer.byteLength(text) > maxTreeText) throw malformedTree();
  const [, size, base64, end] = text.split("\n", 4);
  const n = parseDecimal(size ?? "");
  const hash = decodeBase64(base64 ?? "");
  if (end === undefined || n === undefined || hash?.length !== hashSize) throw malformedTree();
  return { n, hash };
}

/** Returns the message for record `id`: its number on a line, the text, a blank line. Throws "tlog-malformed-record". */
export function formatRecord(id: bigint, text: Uint8Array): Uint8Array {
  if (!isValidRecordText(text)) throw malformedRecord();
  return Buffer.concat([Buffer.from(`${id}\n`), text, Buffer.from("\n")]);
}

/**
 * Returns number and text of the record that `message` begins with, and what follows its blank line.
 *
 * Stricter than x/mod in one thing: the number is written exactly as formatRecord writes it, no sign and no leading
 * zero. Throws "tlog-malformed-record".
 */
export function parseRecord(message: Uint8Array): {
  readonly id: bigint;
  readonly text: Uint8Array;
  readonly rest: Uint8Array;
} {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const line = bytes.indexOf("\n");
  const end = bytes.indexOf("\n\n", line + 1);
  // An int64 has 19 digits.
  const id = line < 0 || line > 19 ? undefined : parseDecimal(bytes.toString("latin1", 0, line));
  if (id === undefined || end < 0) throw malformedRecord();
  const text = message.subarray(line + 1, end + 1);
  if (!isValidRecordText(text)) throw malformedRecord();
  return { id, text, rest: message.subarray(end + 2) };
}

/** True for UTF-8 that ends in a newline and has neither a blank line nor another control character. */
export function isValidRecordText(text: Uint8Array): boolean {
  if (text.at(-1) !== 0x0a) return false;
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
    return !/[\x00-\x09\x0b-\x1f]|\n\n/.test(decoded);
  } catch {
    return false;
  }
}

function checkInput(valid: boolean): void {
  if (!valid) throw new CodedError("tlog-invalid-input", "the log's sizes, indexes and hashes do not fit each other");
}

function proofFailed(): CodedError<TlogErrorCode> {
  return new CodedError("tlog-proof-failed", "the transparency proof is invalid");
}

function malformedTree(): CodedError<TlogErrorCode> {
  return new CodedError("tlog-malformed-tree", "the tree's text is malformed");
}

function malformedRecord(): CodedError<TlogErrorCode> {
  return new CodedError("tlog-malformed-record", "the record is malformed");
}
