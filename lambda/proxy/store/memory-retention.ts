import type { MemoryName } from "./version-index.ts";

const day = 86_400_000;

/**
 * Milliseconds for which a stale memory is kept, by the first word of its name.
 *
 * Anyone can ask for files that do not exist, under ever new names: such a memory is of no use once stale. The answer to
 * a query helps through an outage. List and latest are what an outage needs most, of a module that somebody uses.
 */
const kept = { list: 365 * day, latest: 365 * day, query: 30 * day, missing: day } as const;

/** Milliseconds since the epoch after which a memory may be swept. */
export function forgetAfter(name: MemoryName, freshUntil: number): number {
  const [kind] = name.split(" ", 1);
  return freshUntil + kept[kind as keyof typeof kept];
}
