import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { ReadyResponse } from "./ready-responses.ts";

/** Bytes: of the largest file that is kept, and of all that are, those on their way to clients included. */
const largestFile = 16 << 20;
const allFiles = 32 << 20;

/** How many files are known to have been asked for once. */
const rememberedFiles = 1_000;

interface HotFile {
  readonly size: number;
  /** Answers that send it at the moment, and its own reading. */
  users: number;
  readonly ready: Promise<ReadyResponse>;
  /** `ready`, once it is there. */
  loaded: ReadyResponse | undefined;
}

/**
 * Large files that are asked for again and again, whole in bounded memory.
 *
 * A file's first answer comes from disk in pieces, since most zips are wanted once; the second one brings it here, for all
 * who ask meanwhile. What is on its way to a client cannot be let go: where no room can be made, files keep coming from
 * disk, so that slow clients hold no more memory than the bound.
 */
export class HotFiles {
  /** The longest unasked comes first. */
  readonly #files = new Map<string, HotFile>();
  readonly #asked = new LRUCache<string, true>({ max: rememberedFiles });
  #bytes = 0;

  /** The answer with the file of `key`, while it is kept. */
  get(key: string): ReadyResponse | undefined {
    const file = this.#files.get(key);
    if (file?.loaded === undefined) return undefined;
    this.#files.delete(key);
    this.#files.set(key, file);
    return file.loaded;
  }

  /**
   * The answer with a file of `size` bytes, kept from now on; `undefined` when it is to be sent from disk. `read` brings
   * it into memory, and is called once however many ask.
   */
  async keep(key: string, size: number, read: () => Promise<ReadyResponse>): Promise<ReadyResponse | undefined> {
    const known = this.#files.get(key);
    if (known !== undefined) return known.ready;
    if (size > largestFile || !this.#isAskedAgain(key) || !this.#makeRoom(size)) return undefined;
    const file: HotFile = { size, users: 1, loaded: undefined, ready: read().then((ready) => lend(ready, file)) };
    this.#files.set(key, file);
    this.#bytes += size;
    try {
      file.loaded = await file.ready;
      return file.loaded;
    } catch (error) {
      this.#drop(key, file);
      throw error;
    } finally {
      file.users--;
    }
  }

  #isAskedAgain(key: string): boolean {
    if (this.#asked.has(key)) return true;
    this.#asked.set(key, true);
    return false;
  }

  /** Lets go of files that nobody is being sent, until there is room for `size` bytes; false when that is not enough. */
  #makeRoom(size: number): boolean {
    for (const [key, file] of this.#files) {
      if (this.#bytes + size <= allFiles) return true;
      if (file.users === 0) this.#drop(key, file);
    }
    return this.#bytes + size <= allFiles;
  }

  #drop(key: string, file: HotFile): void {
    this.#files.delete(key);
    this.#bytes -= file.size;
  }
}

/** Counts the answers that send the file. */
function lend(ready: ReadyResponse, file: HotFile): ReadyResponse {
  const sentBy = (response: ServerResponse) => {
    file.users++;
    response.once("close", () => {
      file.users--;
    });
  };
  return { ...ready, sentBy };
}
