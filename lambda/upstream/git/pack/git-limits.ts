/** Everything that bounds what a git server can make us do: one row each. Counts, bytes and milliseconds. */
export interface GitLimits {
  /** Refs in one listing, and bytes of the whole listing. */
  readonly refs: number;
  readonly refBytes: number;
  /** Bytes of one packfile as it is sent, of progress texts beside it, and objects in it. */
  readonly packBytes: number;
  readonly progressBytes: number;
  readonly objects: number;
  /** Bytes of one blob, and of one commit, tree or tag. */
  readonly blobBytes: number;
  readonly treeBytes: number;
  /** Bytes of one object that is held in memory, because it is a delta, or the base of one. */
  readonly deltaBytes: number;
  /** Deltas from an object to the whole one at the end of its chain. */
  readonly deltaDepth: number;
  /** Bytes that all objects of one packfile come to, the work on bases that had to be done again included. */
  readonly inflatedBytes: number;
  /** Commits of one repository's history. */
  readonly commits: number;
  /** Files in one snapshot, characters of a path and of all paths together, and folders in folders. */
  readonly files: number;
  readonly pathBytes: number;
  readonly allPathBytes: number;
  readonly treeDepth: number;
  /** Milliseconds for one fetch from its first byte to the last object that was verified. */
  readonly fetchTime: number;
  /** Packfiles that are kept on disk for all repositories together, bytes of them, and objects in them, whose places are in memory. */
  readonly keptPacks: number;
  readonly keptBytes: number;
  readonly keptObjects: number;
  /** Bytes of histories that are kept in memory for all repositories together. */
  readonly historyBytes: number;
}

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;

/** Room for what Go allows (500 MiB in a module) in a repository that has more beside it. */
export const gitLimits: GitLimits = {
  refs: 500_000,
  refBytes: 64 * mib,
  packBytes: 2 * gib,
  progressBytes: 4 * mib,
  objects: 2_000_000,
  blobBytes: gib,
  treeBytes: 32 * mib,
  deltaBytes: 64 * mib,
  deltaDepth: 4_095,
  inflatedBytes: 8 * gib,
  commits: 2_000_000,
  files: 500_000,
  pathBytes: 4 * kib,
  allPathBytes: 64 * mib,
  treeDepth: 256,
  fetchTime: 900_000,
  keptPacks: 10_000,
  keptBytes: 2 * gib,
  keptObjects: 2_000_000,
  historyBytes: 96 * mib,
};
