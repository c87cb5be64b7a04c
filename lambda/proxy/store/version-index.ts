/** Something remembered of a module for a while, such as the list its upstream gave. */
export interface Remembered {
  readonly text: string;
  /** Milliseconds since the epoch after which it is stale. Stale rows stay readable until they are replaced. */
  readonly freshUntil: number;
}

/** What the index knows of one module, read in one go. */
export interface ModuleEntry {
  /** Canonical versions whose files are stored, in no particular order. */
  readonly versions: readonly string[];
  /** The last list of the upstream and the last answer to @latest, fresh or stale. */
  readonly list: Remembered | undefined;
  readonly latest: Remembered | undefined;
}

/** Under which name something is remembered: of the whole module, of one query, or that one file does not exist. */
export type MemoryName = "list" | "latest" | `query ${string}` | `missing ${string}`;

/**
 * Which versions are stored, and what was remembered of modules for a while.
 *
 * A version is visible when its row is; rows are written after the files they speak of and never removed. Reads see
 * every write that returned before they began, in every process. Module paths are unescaped, as `go` prints them.
 * Failures of the medium are `ServedError` "store-failed". All methods may be called concurrently.
 */
export interface VersionIndex {
  /** Versions, list and latest of a module in one read (one DynamoDB Query), whatever the number of versions. */
  module(path: string): Promise<ModuleEntry>;

  /** Makes a stored version visible. Doing it again changes nothing. */
  addVersion(path: string, version: string): Promise<void>;

  /** What is remembered under `name`, fresh or stale. */
  recall(path: string, name: MemoryName): Promise<Remembered | undefined>;

  /** Remembers, replacing what was there. Up to 350 KB of text after compression by the implementation. */
  remember(path: string, name: MemoryName, memory: Remembered): Promise<void>;
}
