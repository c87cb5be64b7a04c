import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** For who reads a file mostly from its start to its end. */
const usualWindow = 256 * 1024;

/**
 * Random access to a file through one window of its bytes, so that neighbouring parts cost one read between them.
 *
 * Reading is synchronous: measured on zips of thousands of small files, an asynchronous read of each part costs more
 * than inflating and hashing it. Meant for a worker thread.
 */
export class FileWindow {
  readonly size: number;
  readonly #fd: number;
  readonly #window: number;
  #buffer: Buffer;
  #start = 0;
  #end = 0;

  /** `window`: bytes that are read at a time, at least. */
  constructor(path: string, window = usualWindow) {
    this.#window = window;
    this.#buffer = Buffer.allocUnsafe(window);
    this.#fd = openSync(path, "r");
    this.size = fstatSync(this.#fd).size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The bytes at `position`, valid until the next call, or undefined when they are not all inside the file. */
  view(position: number, length: number): Buffer | undefined {
    if (position < 0 || position + length > this.size) return undefined;
    if (position < this.#start || position + length > this.#end) this.#fill(position, length);
    const start = position - this.#start;
    return position + length <= this.#end ? this.#buffer.subarray(start, start + length) : undefined;
  }

  #fill(position: number, length: number): void {
    const wanted = Math.max(length, this.#window);
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafe(wanted);
    // At the end of the file the window reaches back: a zip is read from its end.
    const start = Math.max(0, Math.min(position, this.size - wanted));
    this.#start = start;
    this.#end = start;
    for (let filled = 0; filled < wanted; this.#end = start + filled) {
      const count = readSync(this.#fd, this.#buffer, filled, wanted - filled, start + filled);
      if (count === 0) return;
      filled += count;
    }
  }
}
