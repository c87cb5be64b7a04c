import { closeSync, openSync, writeSync, writev, writevSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { ServedError } from "../proxy/store/served-error.ts";
import type { TemporaryFiles } from "../proxy/store/temporary-files.ts";

/** Bytes that are collected before a thread is asked to write them; the next come in meanwhile. */
const batchSize = 512 << 10;

/** Temporary files in one folder of this machine. */
export class FolderTemporaryFiles implements TemporaryFiles {
  readonly #folder: string;
  readonly #name: () => string;

  /** `name` makes names that nobody else uses in `folder`. */
  constructor(folder: string, name: () => string) {
    this.#folder = folder;
    this.#name = name;
  }

  next(): string {
    return join(this.#folder, this.#name());
  }

  async write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const file = new BatchedFile(path);
    try {
      for await (const chunk of chunks) await file.add(chunk);
      return await file.end();
    } finally {
      await file.close();
    }
  }

  async remove(path: string): Promise<void> {
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
}

/**
 * A file that is written in batches, one being written while the next is collected.
 *
 * What is left at the end is written without a hand-over to another thread, which would cost more CPU than copying the
 * whole of most zips into the system's memory: a stream took five for each, now it is none below a batch.
 */
class BatchedFile {
  readonly #file: number;
  #batch: Uint8Array[] = [];
  #batched = 0;
  #size = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#file = onMedium(() => openSync(path, "w"));
  }

  /** Resolves when there is room for the next chunk. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk);
    this.#batched += chunk.length;
    this.#size += chunk.length;
    if (this.#batched < batchSize) return;
    await this.#writing;
    this.#writing = writeBatch(this.#file, this.#batch);
    // Whoever waits next is told; nobody may be left to.
    this.#writing.catch(() => {});
    this.#batch = [];
    this.#batched = 0;
  }

  /** Writes what is left; the number of bytes in the file. */
  async end(): Promise<number> {
    await this.#writing;
    onMedium(() => writeRest(this.#file, this.#batch, writevSync(this.#file, this.#batch)));
    return this.#size;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    closeSync(this.#file);
  }
}

/** Writes all chunks; what a system leaves over of them, as it does when the medium fills up, follows chunk by chunk. */
function writeBatch(file: number, chunks: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    writev(file, chunks, (error, written) => {
      try {
        if (error) throw error;
        writeRest(file, chunks, written);
        resolve();
      } catch (failure) {
        reject(mediumError(failure));
      }
    });
  });
}

function writeRest(file: number, chunks: readonly Uint8Array[], written: number): void {
  let skip = written;
  for (const chunk of chunks) {
    for (let at = skip; at < chunk.length; ) at += writeSync(file, chunk, at);
    skip = Math.max(0, skip - chunk.length);
  }
}

function onMedium<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw mediumError(error);
  }
}

function mediumError(error: unknown): unknown {
  return isMediumError(error)
    ? new ServedError("store-failed", "no room to receive the file", { cause: error })
    : error;
}

function isMediumError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    code === "ENOSPC" ||
    code === "EROFS" ||
    code === "EDQUOT" ||
    code === "EACCES" ||
    code === "EFBIG" ||
    code === "EIO"
  );
}
