import { createReadStream } from "node:fs";
import { createInflate } from "node:zlib";
import { FileWindow } from "../../../golang/file-window.ts";
import { type Inflated, inflateExactly } from "../../../golang/reused-zlib.ts";
import { GitFailure } from "./git-failure.ts";
import { longestEntryHeader, type PackEntry, parsePackEntry } from "./pack-entry.ts";

/** Bytes above which an object that can be streamed is. */
export const streamedBytes = 1 << 20;

/** A packfile on disk, entry by entry. Synchronous but for large objects: for threads. */
export class PackFile {
  readonly #path: string;
  readonly #file: FileWindow;
  readonly #idLength: number;

  /** `window`: bytes that are read at a time, at least; many by default, as for who reads all entries in their order. */
  constructor(path: string, idLength: number, window?: number) {
    this.#path = path;
    this.#file = new FileWindow(path, window);
    this.#idLength = idLength;
  }

  get size(): number {
    return this.#file.size;
  }

  /** Where the entries end: the hash of everything before stands there. */
  get end(): number {
    return this.#file.size - this.#idLength;
  }

  close(): void {
    this.#file.close();
  }

  /** Bytes that are valid until the next call. Throws `GitFailure` "bad-answer" when they are not all there. */
  view(position: number, length: number): Buffer {
    const view = this.#file.view(position, length);
    if (view === undefined) throw cutOff();
    return view;
  }

  /** The header of the entry that begins at `offset`. */
  entry(offset: number): PackEntry {
    if (offset < 12 || offset >= this.end) throw cutOff();
    const entry = parsePackEntry(this.view(offset, Math.min(longestEntryHeader, this.end - offset)), this.#idLength);
    if (offset + entry.dataStart > this.end) throw cutOff();
    return entry;
  }

  /** The base's id of a delta to an id. */
  baseId(offset: number, entry: PackEntry): Uint8Array {
    return Uint8Array.from(this.view(offset + entry.baseIdStart, this.#idLength));
  }

  /** Inflates an entry's data, which must come to exactly its size. Their length must have been judged before. */
  inflate(offset: number, { size, dataStart }: PackEntry): Inflated {
    const start = offset + dataStart;
    const input = this.view(start, Math.min(deflatedBound(size), this.end - start));
    const inflated = inflateExactly(input, size);
    if (inflated === undefined) throw badData();
    return inflated;
  }

  /** The same in pieces for large ones; what it comes to is how many bytes of the file they were. */
  async *inflateChunks(offset: number, { size, dataStart }: PackEntry): AsyncGenerator<Buffer, number> {
    const start = offset + dataStart;
    const end = Math.min(start + deflatedBound(size), this.end) - 1;
    const inflate = createInflate({ chunkSize: 256 << 10 });
    const source = createReadStream(this.#path, { start, end, highWaterMark: 256 << 10 });
    source.on("error", (error) => inflate.destroy(error)).pipe(inflate);
    let count = 0;
    try {
      for await (const chunk of inflate as AsyncIterable<Buffer>) {
        count += chunk.length;
        if (count > size) throw badData();
        yield chunk;
      }
    } catch (error) {
      throw asBadData(error);
    } finally {
      source.destroy();
      inflate.destroy();
    }
    if (count !== size) throw badData();
    return inflate.bytesWritten;
  }
}

/** More than any compressor makes of `size` bytes; data that are longer are refused, so that work does not depend on what follows. */
function deflatedBound(size: number): number {
  return size + (size >> 6) + 1024;
}

function asBadData(error: unknown): unknown {
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
  return code.startsWith("Z_") ? badData(error) : error;
}

function badData(cause?: unknown): GitFailure {
  return new GitFailure("bad-answer", "sent a packfile with data that do not inflate to what they should", { cause });
}

function cutOff(): GitFailure {
  return new GitFailure("bad-answer", "sent a packfile that ends too early");
}
