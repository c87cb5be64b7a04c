import type { ObjectPolicy } from "./layout.ts";

/** Where the bytes of a new file come from: memory when they are small, a file on this machine when they are not. */
export type FileSource = Uint8Array | { readonly path: string };

/**
 * Files under keys (lambda/proxy/store/layout.ts), each written once and never changed, only removed.
 *
 * A file appears whole or not at all: a reader that overlaps a `create`, a crash in the middle of one, or two of them at
 * the same moment never lead to part of a file, and whoever was told `true` or `false` can read the file from then on,
 * in every process. Contents are durable once `create` returns. All methods may be called concurrently.
 *
 * Failures of the medium (full, read-only, unreachable) are `ServedError` "store-failed"; an absent file is not a failure.
 */
export interface ModuleStore {
  /** The bytes under `key`, or `undefined`. Only for small files: more than 16 MiB is "store-failed". */
  read(key: string): Promise<Uint8Array | undefined>;

  /** The size in bytes of the file under `key`, or `undefined`. */
  size(key: string): Promise<number | undefined>;

  /**
   * Writes the file under `key` to the file `path` of this machine, which is the caller's; its size in bytes, or
   * `undefined` where there is none.
   */
  copy(key: string, path: string): Promise<number | undefined>;

  /**
   * Stores the file unless `key` has one already; says whether it did. What was there is never touched. A `path`
   * source stays the caller's: the store copies or links it and never moves or removes it. `policy` is what those who
   * read the file past us are told of it, where the store can tell them.
   */
  create(key: string, source: FileSource, policy: ObjectPolicy): Promise<boolean>;

  /**
   * Takes the file away, where there is one. Durable once it returned: the file does not come back, and its key is free
   * for another `create`. A reader that has begun gets the whole file or an error.
   */
  remove(key: string): Promise<void>;

  /** All keys that begin with `prefix`, in no particular order. For maintenance, never on a request path. */
  keys(prefix: string): AsyncIterable<string>;
}
