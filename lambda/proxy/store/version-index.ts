import type { VersionFacts } from "./version-facts.ts";

/** Something remembered of a module for a while, such as the list its upstream gave. */
export interface Remembered {
  readonly text: string;
  /** Milliseconds since the epoch after which it is stale. Stale rows stay readable until they are replaced. */
  readonly freshUntil: number;
}

/**
 * What a version's row says beside its facts: "yanked": hidden from lists; "evicted": its zip was removed to save room;
 * "published": listed whatever its upstream lists, which may not know it.
 */
export type VersionFlag = "yanked" | "evicted" | "published";

/** A version of which something is stored. */
export interface VersionRow {
  readonly version: string;
  /** Milliseconds since the epoch of when it became visible here; 0: before modfront kept that. */
  readonly firstSeen: number;
  readonly flags: readonly VersionFlag[];
}

/** What the index knows of one module. */
export interface ModuleEntry {
  /**
   * Canonical versions whose files are stored, in no particular order. Some indices read them when they are first looked
   * at, and fail then.
   */
  readonly versions: readonly VersionRow[];
  /** The last list of the upstream and the last answer to @latest, fresh or stale. */
  readonly list: Remembered | undefined;
  readonly latest: Remembered | undefined;
}

/** Under which name something is remembered: of the whole module, of one query, or that one file does not exist. */
export type MemoryName = "list" | "latest" | `query ${string}` | `missing ${string}`;

/**
 * Which versions are stored, and what was remembered of modules for a while.
 *
 * A version is visible when its row is; rows are written after the files they speak of, and removed before them. Reads
 * see every write that returned before they began, in every process. Module paths are unescaped, as `go` prints them.
 * Failures of the medium are `ServedError` "store-failed". All methods may be called concurrently.
 */
export interface VersionIndex {
  /** Versions, list and latest of a module: on AWS in one Query, whatever the number of versions up to 10,000. */
  module(path: string): Promise<ModuleEntry>;

  /**
   * Keeps `facts` of a stored version and then makes it visible, as first seen at `now` (milliseconds since the epoch).
   *
   * One whose origin is "published" has that flag. Doing it again changes neither when it was first seen, nor another flag,
   * nor a fact that is known: facts that are not known yet are added. What fails in between leaves facts of a version that is not visible.
   */
  addVersion(path: string, version: string, now: number, facts: VersionFacts): Promise<void>;

  /** What is known of a version's files; `undefined` when nothing is. */
  facts(path: string, version: string): Promise<VersionFacts | undefined>;

  /** Sets or clears a flag of a visible version; false when there is no such version. */
  setFlag(path: string, version: string, flag: VersionFlag, on: boolean): Promise<boolean>;

  /** Makes a version invisible and then forgets its facts. Doing it again changes nothing. */
  removeVersion(path: string, version: string): Promise<void>;

  /** What is remembered under `name`, fresh or stale. */
  recall(path: string, name: MemoryName): Promise<Remembered | undefined>;

  /** Remembers, replacing what was there. Up to 350 KB of text after compression by the implementation. */
  remember(path: string, name: MemoryName, memory: Remembered): Promise<void>;
}
