import { createHash } from "node:crypto";
import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import { idBytes, type ObjectFormat, objectHash, objectTypes } from "./object-id.ts";
import { idDelta, offsetDelta, type PackEntry } from "./pack-entry.ts";
import { type PackFile, streamedBytes } from "./pack-file.ts";

/** Called with each commit, tree and tag, and each small blob, in no order; the data are only valid meanwhile. */
export type ObjectVisitor = (type: number, id: Uint8Array, data: Uint8Array) => void;

/** Bytes that objects may still come to. */
export interface Budget {
  left: number;
}

/** Throws `GitFailure` "too-large" when nothing is left. */
export function spend(budget: Budget, bytes: number): void {
  budget.left -= bytes;
  if (budget.left < 0) throw new GitFailure("too-large", "sent a packfile whose objects come to too many bytes");
}

/** The entries of a packfile in the order of the file, of which those that are whole have their ids. */
export interface PackScan {
  readonly count: number;
  readonly offsets: Float64Array;
  /** Of whole objects; 0 of deltas. */
  readonly types: Uint8Array;
  readonly sizes: Float64Array;
  /** Ids one after the other; of a delta to an id the id of its base, of one to an offset nothing. */
  readonly ids: Uint8Array;
  /** The base of a delta to an offset; -1 of all others. */
  readonly bases: Int32Array;
  /** Numbers of the deltas to ids. */
  readonly byId: readonly number[];
}

/** The shortest entry: a header of one byte, and nothing, deflated. */
const shortestEntry = 9;

/** Walks a packfile once, start to end. Throws `GitFailure`. */
export async function scanPack(
  file: PackFile,
  options: {
    readonly format: ObjectFormat;
    readonly limits: GitLimits;
    readonly budget: Budget;
    readonly visit: ObjectVisitor;
  },
): Promise<PackScan> {
  const { format, limits } = options;
  const idLength = idBytes[format];
  const count = objectCount(file, limits);
  checkTrailer(file, format);
  const scan = {
    count,
    offsets: new Float64Array(count),
    types: new Uint8Array(count),
    sizes: new Float64Array(count),
    ids: new Uint8Array(count * idLength),
    bases: new Int32Array(count).fill(-1),
    byId: [] as number[],
  };
  let offset = 12;
  for (let i = 0; i < count; i++) {
    const entry = file.entry(offset);
    scan.offsets[i] = offset;
    if (entry.type === offsetDelta) {
      scan.bases[i] = numberAt(scan.offsets, i, offset - entry.baseDistance);
    } else if (entry.type === idDelta) {
      scan.ids.set(file.baseId(offset, entry), i * idLength);
      scan.byId.push(i);
    } else {
      scan.types[i] = entry.type;
      scan.sizes[i] = entry.size;
    }
    // Of deltas too: what they inflate to is thrown away here, and costs as much as anything else.
    spend(options.budget, entry.size);
    const isDelta = entry.type >= offsetDelta;
    checkEntrySize(entry, isDelta, limits);
    const { consumed, id } = await readEntry(file, offset, entry, isDelta ? undefined : options);
    if (id !== undefined) scan.ids.set(id, i * idLength);
    offset += entry.dataStart + consumed;
  }
  if (offset !== file.end) throw new GitFailure("bad-answer", "sent a packfile with bytes that belong to no object");
  return scan;
}

function objectCount(file: PackFile, limits: GitLimits): number {
  if (file.size > limits.packBytes) throw new GitFailure("too-large", "sent a packfile with too many bytes");
  if (file.end < 12) throw new GitFailure("bad-answer", "sent a packfile that ends too early");
  const header = file.view(0, 12);
  const version = header.readUInt32BE(4);
  if (header.toString("latin1", 0, 4) !== "PACK" || (version !== 2 && version !== 3)) {
    throw new GitFailure("bad-answer", "sent something that is no packfile");
  }
  const count = header.readUInt32BE(8);
  if (count > limits.objects) throw new GitFailure("too-large", "sent a packfile with too many objects");
  // What is set aside for the objects depends on this number.
  if (count * shortestEntry > file.end - 12) {
    throw new GitFailure("bad-answer", "sent a packfile with fewer objects than it says");
  }
  return count;
}

function checkTrailer(file: PackFile, format: ObjectFormat): void {
  const hash = createHash(format);
  const step = 256 << 10;
  for (let at = 0; at < file.end; at += step) hash.update(file.view(at, Math.min(step, file.end - at)));
  if (!hash.digest().equals(file.view(file.end, idBytes[format]))) {
    throw new GitFailure("bad-answer", "sent a packfile whose hash is not what it says");
  }
}

/** The number of the entry that begins at `offset`, of those before `end`. */
function numberAt(offsets: Float64Array, end: number, offset: number): number {
  let low = 0;
  for (let high = end; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  if (low >= end || offsets[low] !== offset) {
    throw new GitFailure("bad-answer", "sent a delta to something that is no object");
  }
  return low;
}

function checkEntrySize({ type, size }: PackEntry, isDelta: boolean, limits: GitLimits): void {
  const limit = isDelta ? limits.deltaBytes : type === objectTypes.blob ? limits.blobBytes : limits.treeBytes;
  if (size > limit) throw new GitFailure("too-large", `has an object of more than ${limit} bytes`);
}

interface ReadEntry {
  readonly consumed: number;
  /** Of whole objects. */
  readonly id: Uint8Array | undefined;
}

/** Reads an entry to its end; `whole` of an object that is no delta. */
async function readEntry(
  file: PackFile,
  offset: number,
  entry: PackEntry,
  whole: { readonly format: ObjectFormat; readonly visit: ObjectVisitor } | undefined,
): Promise<ReadEntry> {
  const hash = whole === undefined ? undefined : objectHash(whole.format, entry.type, entry.size);
  if (entry.size <= streamedBytes || entry.type !== objectTypes.blob) {
    const { data, consumed } = file.inflate(offset, entry);
    const id = hash?.update(data).digest();
    if (id !== undefined) whole?.visit(entry.type, id, data);
    return { consumed, id };
  }
  const chunks = file.inflateChunks(offset, entry);
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return { consumed: value, id: hash?.digest() };
    hash?.update(value);
  }
}
