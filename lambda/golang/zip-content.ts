// Port of how Go's archive/zip reads one file of a zip: which bytes are its content, and what is verified of them. The
// directory is attacker-controlled, so no size in it decides how much memory is taken.

import { pipeline, Readable } from "node:stream";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import type { FileWindow } from "./file-window.ts";
import { type ZipEntry, ZipError } from "./zip-directory.ts";
import { corrupt, deflated, findSection, hasRightDescriptor, type Section, stored } from "./zip-section.ts";

/** Up to this size, compressed and not, a file is inflated in one call, which for small files is far faster. */
const oneCallLimit = 4 << 20;
const chunkSize = 1 << 20;
const smallestChunk = 64;

/**
 * Hands the content of an entry to `take`, piece by piece; a piece is only valid during the call.
 *
 * Returns a promise only for large files. Throws `zip-corrupt` where Go's reader fails: sizes, checksum or data
 * descriptor do not match, the deflate stream is broken, the method is another. `take` may have seen bytes by then, but
 * never more than the declared size. An entry whose name ends in a slash is empty, and has to be.
 */
export function readContent(
  file: FileWindow,
  entry: ZipEntry,
  take: (piece: Uint8Array) => void,
): Promise<void> | undefined {
  const section = findSection(file, entry);
  if (entry.name.endsWith("/")) {
    if (entry.uncompressedSize !== 0) throw corrupt(entry, "a directory with content");
    return undefined;
  }
  const total = new Verifier(entry, take);
  switch (entry.method) {
    case stored:
      for (const piece of pieces(file, section)) total.add(piece);
      return total.finish(file, section);
    case deflated:
      if (section.length > oneCallLimit || entry.uncompressedSize > oneCallLimit) {
        return inflateLarge(file, section, entry, total);
      }
      takeAndFree(inflateSmall(file, section, entry), total);
      return total.finish(file, section);
    default:
      throw corrupt(entry, "an unsupported compression method");
  }
}

function* pieces(file: FileWindow, { position, length }: Section): Generator<Buffer> {
  for (let done = 0; done < length; done += chunkSize) {
    const piece = file.view(position + done, Math.min(chunkSize, length - done));
    if (piece === undefined) throw new ZipError("zip-unreadable", "the zip file shrank while it was read");
    yield piece;
  }
}

function inflateSmall(file: FileWindow, section: Section, entry: ZipEntry): Buffer {
  const input = file.view(section.position, section.length);
  if (input === undefined) throw corrupt(entry, "no content");
  const size = Math.max(entry.uncompressedSize, 1);
  try {
    return inflateRawSync(input, { maxOutputLength: size, chunkSize: size + smallestChunk });
  } catch (error) {
    throw corrupt(entry, "content that does not inflate to its declared size", error);
  }
}

function takeAndFree(content: Buffer, total: Verifier): void {
  total.add(content);
  free(content);
}

/**
 * Frees the memory at once. Left to the collector, 400 MB in files of 200 KB take twice the time and 60 MB more.
 *
 * Small buffers are parts of a pool that others use, and are left alone.
 */
export function free({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

async function inflateLarge(file: FileWindow, section: Section, entry: ZipEntry, total: Verifier): Promise<void> {
  const inflate = createInflateRaw({ chunkSize });
  // The callback hears of every failure a second time: the loop is the one that reports it.
  pipeline(Readable.from(copies(pieces(file, section))), inflate, () => {});
  try {
    for await (const piece of inflate) total.add(piece);
  } catch (error) {
    throw error instanceof ZipError ? error : corrupt(entry, "content that does not inflate", error);
  }
  total.finish(file, section);
}

/** zlib works on a piece while the window moves on. */
function* copies(source: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of source) yield Buffer.from(piece);
}

/** Counts and checks what came out of an entry. */
class Verifier {
  readonly #entry: ZipEntry;
  readonly #take: (piece: Uint8Array) => void;
  #size = 0;
  #crc32 = 0;

  constructor(entry: ZipEntry, take: (piece: Uint8Array) => void) {
    this.#entry = entry;
    this.#take = take;
  }

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (this.#size > this.#entry.uncompressedSize) throw corrupt(this.#entry, "more content than its declared size");
    this.#crc32 = crc32(piece, this.#crc32);
    this.#take(piece);
  }

  finish(file: FileWindow, section: Section): undefined {
    const entry = this.#entry;
    if (this.#size !== entry.uncompressedSize) throw corrupt(entry, "less content than its declared size");
    if (!hasRightDescriptor(file, section, entry)) {
      throw corrupt(entry, "a data descriptor that differs from the directory");
    }
    // Without a descriptor a checksum of zero means that the writer gave none.
    if ((entry.hasDataDescriptor || entry.crc32 !== 0) && this.#crc32 !== entry.crc32) {
      throw corrupt(entry, "a wrong checksum");
    }
  }
}
