import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ServedError } from "./served-error.ts";

/** Files of this process that nobody else reads; whoever asks for one removes it. */
export class TemporaryFiles {
  readonly #folder: string;
  readonly #name: () => string;

  /** `name` makes names that nobody else uses in `folder`. */
  constructor(folder: string, name: () => string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** A path that no other file has. */
  next(): string {
    return join(this.#folder, this.#name());
  }

  /** Writes `chunks` to the file as they come, replacing what an earlier try left; the number of bytes. */
  async write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const file = createWriteStream(path, { highWaterMark: 1 << 20 });
    try {
      await pipeline(Readable.from(chunks), file);
    } catch (error) {
      throw isMediumError(error)
        ? new ServedError("store-failed", "no room to receive the file", { cause: error })
        : error;
    }
    return file.bytesWritten;
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }
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
