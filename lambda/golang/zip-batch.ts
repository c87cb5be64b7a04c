// Small files of a zip, inflated and verified many at a time: of most files the setting up of zlib, in time and in garbage,
// is half of what inflating them costs. Their deflate streams, put between gzip's header and trailer, are one gzip file of
// several members, which zlib reads in one call and checks against the sizes and checksums of the directory.

import { type Gunzip, gunzipSync } from "node:zlib";
import type { FileWindow } from "./file-window.ts";
import { free } from "./zip-content.ts";
import type { ZipEntry } from "./zip-directory.ts";
import { deflated, findSection, hasRightDescriptor } from "./zip-section.ts";

/** A member's start without name, time and flags. */
const header = Buffer.from("1f8b0800000000000000", "hex");
const magic = header.subarray(0, 3);
const trailerLength = 8;
const smallestChunk = 64;

/** The most bytes of a batch, of its members and of what they inflate to. */
const batchLimit = 512 * 1024;
const scratch = Buffer.allocUnsafe(batchLimit);

/** Cuts the entries, in their order, into those that may be inflated together; one that may not is alone. */
export function* batches(entries: readonly ZipEntry[]): Generator<readonly ZipEntry[]> {
  let start = 0;
  let size = 0;
  for (const [i, entry] of entries.entries()) {
    size += sizeInBatch(entry);
    if (size <= batchLimit || i === start) continue;
    yield entries.slice(start, i);
    start = i;
    size = sizeInBatch(entry);
  }
  if (start < entries.length) yield entries.slice(start);
}

function sizeInBatch({ name, method, compressedSize, uncompressedSize }: ZipEntry): number {
  if (method !== deflated || name.endsWith("/") || compressedSize <= 0 || uncompressedSize <= 0) return batchLimit + 1;
  return Math.max(header.length + compressedSize + trailerLength, uncompressedSize);
}

/**
 * Hands the whole content of each entry of a batch to `take`, which may not keep it, and returns true.
 *
 * Returns false, before any call, unless `readContent` would accept every one of them with the same content. The caller
 * then reads them one by one: that tells what is wrong, or that it was only unusual.
 */
export function readTogether(
  file: FileWindow,
  batch: readonly ZipEntry[],
  take: (entry: ZipEntry, content: Uint8Array) => void,
): boolean {
  const content = batch.length < 2 ? undefined : inflate(file, batch);
  if (content === undefined) return false;
  let end = 0;
  for (const entry of batch) {
    const start = end;
    end += entry.uncompressedSize;
    take(entry, content.subarray(start, end));
  }
  free(content);
  return true;
}

function inflate(file: FileWindow, batch: readonly ZipEntry[]): Buffer | undefined {
  try {
    const members = writeMembers(file, batch);
    return members === undefined ? undefined : gunzip(members, batch);
  } catch {
    return undefined;
  }
}

function writeMembers(file: FileWindow, batch: readonly ZipEntry[]): Buffer | undefined {
  let end = 0;
  for (const entry of batch) {
    const section = findSection(file, entry);
    if (!hasRightDescriptor(file, section, entry)) return undefined;
    end += header.copy(scratch, end);
    end += file.view(section.position, section.length)?.copy(scratch, end) ?? 0;
    end = scratch.writeUInt32LE(entry.crc32, end);
    end = scratch.writeUInt32LE(entry.uncompressedSize, end);
  }
  return scratch.subarray(0, end);
}

/**
 * Inflates the members, or returns undefined unless they are one for each entry.
 *
 * The streams are an attacker's and need not end where their entry does. So that none is taken for another: zlib must
 * have read to the end, because it stops without complaint at a zero byte after a member. Nowhere but where we put it may
 * there be the start of a member, so that every trailer it believed is ours. And the total must be right: a stream that
 * runs on into the next entry skips a trailer, whose size is then missing, since no entry of a batch is empty.
 */
function gunzip(members: Buffer, batch: readonly ZipEntry[]): Buffer | undefined {
  if (count(magic, members) !== batch.length) return undefined;
  const size = batch.reduce((total, entry) => total + entry.uncompressedSize, 0);
  const options = { maxOutputLength: size, chunkSize: size + smallestChunk, info: true };
  // The types do not know what `info` does.
  const { buffer, engine } = gunzipSync(members, options) as unknown as { buffer: Buffer; engine: Gunzip };
  return engine.bytesWritten === members.length && buffer.length === size ? buffer : undefined;
}

function count(part: Buffer, bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) found++;
  return found;
}
