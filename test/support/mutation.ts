/** A sequence of whole numbers below a bound that is the same for the same seed (mulberry32). */
export type Random = (bound: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}

/**
 * Returns a text near the interesting ones: one of the seeds, or two spliced, or pieces strung together, with a few places
 * cut, doubled or replaced by pieces. Never splits a surrogate pair, which JSON could not carry to Go.
 */
export function mutate(random: Random, seeds: readonly string[], pieces: readonly string[]): string {
  const kind = random(10);
  if (kind === 0) return Array.from({ length: random(8) }, () => pick(random, pieces)).join("");
  let characters = [...pick(random, seeds)];
  if (kind === 1) {
    const other = [...pick(random, seeds)];
    characters = [...characters.slice(0, random(characters.length + 1)), ...other.slice(random(other.length + 1))];
  }
  for (let edits = random(4); edits > 0; edits--) {
    const at = random(characters.length + 1);
    const removed = characters.splice(at, random(3));
    const added = random(4) === 0 ? [...removed, ...removed] : random(3) === 0 ? [] : [...pick(random, pieces)];
    characters.splice(at, 0, ...added);
  }
  return characters.join("");
}
