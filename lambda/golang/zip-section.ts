// Port of how Go's archive/zip finds the bytes of one file of a zip, and the descriptor after them.

import type { FileWindow } from "./file-window.ts";
import { type ZipEntry, ZipError } from "./zip-directory.ts";

/** The compression methods. */
export const stored = 0;
export const deflated = 8;

const localHeaderLength = 30;
const localHeaderSignature = 0x04034b50;
const descriptorSignature = 0x08074b50;

/** Where the compressed bytes of an entry are; `length` is what the file really has of them. */
export interface Section {
  readonly position: number;
  readonly length: number;
}

/** Returns where the content of an entry is. Throws `zip-corrupt`. */
export function findSection(file: FileWindow, entry: ZipEntry): Section {
  const header = file.view(entry.headerOffset, localHeaderLength);
  if (header === undefined || header.readUInt32LE(0) !== localHeaderSignature) {
    throw corrupt(entry, "no header where the directory says");
  }
  const position = entry.headerOffset + localHeaderLength + header.readUInt16LE(26) + header.readUInt16LE(28);
  const rest = Math.max(0, file.size - position);
  // Go reads a compressed size below zero as "all the rest".
  return { position, length: entry.compressedSize < 0 ? rest : Math.min(rest, entry.compressedSize) };
}

/**
 * Refuses files that share their bytes: together they would cost more to read than the zip has. Throws `zip-overlap`.
 *
 * Go has no such limit: with it 20,000 names for one section of 4 MB are read as 80 GB. No writer makes such a zip.
 */
export function checkApart(file: FileWindow, entries: readonly ZipEntry[]): void {
  let total = 0;
  for (const entry of entries) {
    const rest = Math.max(0, file.size - entry.headerOffset);
    total += entry.compressedSize < 0 ? rest : Math.min(rest, entry.compressedSize);
  }
  if (total > file.size)
    throw new ZipError("zip-overlap", "the files in the zip overlap: together they have more bytes than the zip");
}

/** False when a descriptor follows the content and has another checksum than the directory. */
export function hasRightDescriptor(file: FileWindow, section: Section, entry: ZipEntry): boolean {
  return !entry.hasDataDescriptor || readDescriptor(file, section, entry) === entry.crc32;
}

/** The checksum in the descriptor after the content. Its signature is customary and not required. */
function readDescriptor(file: FileWindow, section: Section, entry: ZipEntry): number | undefined {
  const position = section.position + entry.compressedSize;
  const signature = file.view(position, 4);
  if (signature === undefined) return undefined;
  if (signature.readUInt32LE(0) === descriptorSignature) return file.view(position, 16)?.readUInt32LE(4);
  return file.view(position, 12)?.readUInt32LE(0);
}

/** What an entry is refused with that Go's reader fails on. */
export function corrupt(entry: ZipEntry, what: string, cause?: unknown): ZipError {
  const name = Buffer.from(entry.name.slice(0, 200), "latin1").toString();
  return new ZipError("zip-corrupt", `${JSON.stringify(name)} in the zip has ${what}`, { cause });
}
