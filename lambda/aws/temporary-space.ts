const mib = 1024 ** 2;
const gib = 1024 * mib;

/**
 * The room in /tmp of a function that fills, in GiB, and what of it repositories may take, in bytes.
 *
 * A packfile is received beside those that are kept; the zip of the largest module is made, and then received as from any
 * upstream. One invocation at a time has it, and the next finds what was kept.
 */
export const temporarySpace = {
  gibibytes: 4,
  repositories: { packBytes: gib, keptBytes: gib },
  zips: 2 * 500 * mib,
} as const;

/** What repositories may take where there are 512 MB of memory: one with more objects is left to the function that has three times that. */
export const smallMemory = {
  objects: 500_000,
  keptObjects: 500_000,
  historyBytes: 32 * mib,
  deltaBytes: 32 * mib,
} as const;
