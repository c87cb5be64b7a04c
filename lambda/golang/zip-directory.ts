// Port of how Go's archive/zip finds and reads the central directory of a zip. The go command unpacks what this reader
// lists, so the list has to be the same to the byte, on damaged and on malicious archives too: docs/decisions/zip-reader.md.

import { CodedError } from "./coded-error.ts";
import type { FileWindow } from "./file-window.ts";

/** One row of the central directory: everything it claims about a file, nothing of it verified. */
export interface ZipEntry {
  /** The name as it stands in the archive, one character (U+0000 to U+00FF) for each byte. */
  readonly name: string;
  readonly method: number;
  readonly hasDataDescriptor: boolean;
  readonly crc32: number;
  /** Sizes and offset in bytes, as the int64 that Go makes of them: a value of 2^63 and more is negative. */
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly headerOffset: number;
}

/** Codes of the errors that reading a zip ends with. */
export type ZipErrorCode = "not-a-zip" | "zip-corrupt" | "zip-overlap" | "zip-too-many-files" | "zip-unreadable";

/** Thrown for an archive that cannot be read as Go reads it. */
export class ZipError extends CodedError<ZipErrorCode> {}

/**
 * Go has no limit here; ours keeps memory bounded. The largest modules have some ten thousand files and a directory of
 * some megabytes.
 */
const maxEntries = 1 << 18;
const maxDirectoryBytes = 64 << 20;

const directoryHeaderLength = 46;
const directoryHeaderSignature = 0x02014b50;
const directoryEndLength = 22;
const directoryEndSignature = 0x06054b50;
const locator64Length = 20;
const locator64Signature = 0x07064b50;
const directoryEnd64Length = 56;
const directoryEnd64Signature = 0x06064b50;
const longestTail = 65 * 1024;
const zip64Extra = 1;

/** Lists the archive's entries in the order of its directory. Throws `not-a-zip` or `zip-too-many-files`. */
export function readDirectory(file: FileWindow): readonly ZipEntry[] {
  const end = readDirectoryEnd(file);
  const base = baseOffset(file, end);
  const entries: ZipEntry[] = [];
  let position = base + end.directoryOffset;
  const limit = position + maxDirectoryBytes;
  for (;;) {
    const row = readRow(file, position, base);
    if (row === undefined) {
      if (endsInside(file, position)) throw notZip();
      break;
    }
    if (entries.push(row.entry) > maxEntries || row.next > limit) {
      throw new ZipError("zip-too-many-files", `the zip has more files than we read (${maxEntries})`);
    }
    position = row.next;
  }
  // The count may have 16 bits or 64, and old archives let it overflow: only 16 bits are compared.
  if ((entries.length & 0xffff) !== Number(BigInt.asUintN(16, end.records))) throw notZip();
  return entries;
}

/** Go stops without complaint at anything that is not a whole row, except where a read gets no byte at all. */
function endsInside(file: FileWindow, position: number): boolean {
  if (position === file.size) return true;
  if (position + directoryHeaderLength !== file.size) return false;
  return file.view(position, 4)?.readUInt32LE(0) === directoryHeaderSignature;
}

function notZip(): ZipError {
  return new ZipError("not-a-zip", "not a valid zip file");
}

interface DirectoryEnd {
  /** Where the record of the end begins. */
  readonly position: number;
  readonly records: bigint;
  readonly directorySize: number;
  readonly directoryOffset: number;
}

function readDirectoryEnd(file: FileWindow): DirectoryEnd {
  const length = Math.min(longestTail, file.size);
  const tail = file.view(file.size - length, length);
  const found = tail === undefined ? -1 : findDirectoryEnd(tail);
  if (tail === undefined || found < 0) throw notZip();
  const end: DirectoryEnd = {
    position: file.size - length + found,
    records: BigInt(tail.readUInt16LE(found + 10)),
    directorySize: tail.readUInt32LE(found + 12),
    directoryOffset: tail.readUInt32LE(found + 16),
  };
  // 0xffff for the size is Go's own slip (the field has 32 bits); kept, because it decides which directory is read.
  const is64 = end.records === 0xffffn || end.directorySize === 0xffff || end.directoryOffset === 0xffffffff;
  return is64 ? readDirectoryEnd64(file, end) : end;
}

/** The last record that ends the directory; bytes may follow its comment, but the comment may not be cut off. */
function findDirectoryEnd(tail: Buffer): number {
  for (let i = tail.length - directoryEndLength; i >= 0; i--) {
    if (tail[i] !== 0x50 || tail.readUInt32LE(i) !== directoryEndSignature) continue;
    return i + directoryEndLength + tail.readUInt16LE(i + directoryEndLength - 2) > tail.length ? -1 : i;
  }
  return -1;
}

function readDirectoryEnd64(file: FileWindow, end: DirectoryEnd): DirectoryEnd {
  const locator =
    end.position < locator64Length ? undefined : file.view(end.position - locator64Length, locator64Length);
  if (locator === undefined || locator.readUInt32LE(0) !== locator64Signature) return end;
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) !== 1) return end;
  const position = readInt64(locator, 8);
  // An int64 below zero means "none" to Go, whatever the locator meant.
  if (position < 0) return end;
  const record = file.view(position, directoryEnd64Length);
  if (record === undefined || record.readUInt32LE(0) !== directoryEnd64Signature) throw notZip();
  const directorySize = readInt64(record, 40);
  const directoryOffset = readInt64(record, 48);
  if (directorySize < 0 || directoryOffset < 0) throw notZip();
  return { position, records: record.readBigUInt64LE(32), directorySize, directoryOffset };
}

/** How many bytes stand before the zip proper: every offset in it counts from there. */
function baseOffset(file: FileWindow, end: DirectoryEnd): number {
  const start = end.position - end.directorySize;
  if (start < 0 || start >= file.size) throw notZip();
  // Beyond this a sum of offsets would not be exact. Go computes with it, and so reads an archive nobody would write.
  if (end.directoryOffset > 2 ** 52) throw notZip();
  const base = start - end.directoryOffset;
  // Some writers get the size wrong; when the offset alone leads to a directory, it is believed.
  return base > 0 && readRow(file, end.directoryOffset, 0) !== undefined ? 0 : base;
}

function readRow(
  file: FileWindow,
  position: number,
  base: number,
): { readonly entry: ZipEntry; readonly next: number } | undefined {
  const fixed = file.view(position, directoryHeaderLength);
  if (fixed === undefined || fixed.readUInt32LE(0) !== directoryHeaderSignature) return undefined;
  const nameLength = fixed.readUInt16LE(28);
  const extraLength = fixed.readUInt16LE(30);
  const length = directoryHeaderLength + nameLength + extraLength + fixed.readUInt16LE(32);
  const row = file.view(position, length);
  if (row === undefined) return undefined;
  const nameEnd = directoryHeaderLength + nameLength;
  const claims = readClaims(row, nameEnd, nameEnd + extraLength);
  if (claims === undefined) return undefined;
  const entry: ZipEntry = {
    name: row.toString("latin1", directoryHeaderLength, nameEnd),
    method: row.readUInt16LE(10),
    hasDataDescriptor: (row.readUInt16LE(8) & 8) !== 0,
    crc32: row.readUInt32LE(16),
    compressedSize: claims.compressedSize,
    uncompressedSize: claims.uncompressedSize,
    headerOffset: claims.headerOffset + base,
  };
  return { entry, next: position + length };
}

interface Claims {
  uncompressedSize: number;
  compressedSize: number;
  headerOffset: number;
}

const fields: readonly (keyof Claims)[] = ["uncompressedSize", "compressedSize", "headerOffset"];

/**
 * Sizes and offset. Where the row's 32 bits are all ones the zip64 extra holds 64; it may lack only an uncompressed size.
 */
function readClaims(row: Buffer, extraStart: number, extraEnd: number): Claims | undefined {
  const claims = {
    compressedSize: row.readUInt32LE(20),
    uncompressedSize: row.readUInt32LE(24),
    headerOffset: row.readUInt32LE(42),
  };
  const needed = fields.filter((field) => claims[field] === 0xffffffff);
  if (needed.length === 0) return claims;
  for (const body of zip64Extras(row.subarray(extraStart, extraEnd))) {
    for (let at = 0; needed.length > 0; at += 8) {
      const field = needed.shift();
      if (field === undefined || at + 8 > body.length) return undefined;
      claims[field] = readInt64(body, at);
    }
  }
  return needed.every((field) => field === "uncompressedSize") ? claims : undefined;
}

function* zip64Extras(extra: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= extra.length; ) {
    const next = at + 4 + extra.readUInt16LE(at + 2);
    if (next > extra.length) return;
    if (extra.readUInt16LE(at) === zip64Extra) yield extra.subarray(at + 4, next);
    at = next;
  }
}

/** Exact up to 2^53; beyond that it is far outside every file and limit anyway. */
function readInt64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64LE(at));
}
