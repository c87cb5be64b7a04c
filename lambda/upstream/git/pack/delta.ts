import { GitFailure } from "./git-failure.ts";

/** The sizes that a delta declares: of what it is applied to, and of what comes out. */
export interface DeltaSizes {
  readonly base: number;
  readonly result: number;
  /** Where its instructions begin. */
  readonly start: number;
}

/** Throws `GitFailure` "bad-answer". */
export function deltaSizes(delta: Uint8Array): DeltaSizes {
  const base = readSize(delta, 0);
  const result = readSize(delta, base.next);
  return { base: base.value, result: result.value, start: result.next };
}

function readSize(delta: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = start, unit = 1; at < start + 7; at++, unit *= 128) {
    const byte = delta[at];
    if (byte === undefined) break;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return { value, next: at + 1 };
  }
  throw badDelta();
}

/**
 * The object that a delta makes of its base (gitformat-pack, "Deltified representation").
 *
 * Takes time and memory of what goes in and the result, whose size must have been judged by `deltaSizes` before. Throws
 * `GitFailure` "bad-answer" for anything that does not fit exactly.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Buffer {
  const sizes = deltaSizes(delta);
  if (sizes.base !== base.length) throw badDelta();
  const result = Buffer.allocUnsafe(sizes.result);
  let filled = 0;
  let at = sizes.start;
  while (at < delta.length) {
    const instruction = delta[at++] ?? 0;
    const copies = instruction >= 0x80;
    let from = 0;
    let size = instruction;
    if (copies) {
      // Seven bits say which bytes of the offset (4) and of the size (3) follow, the low ones first.
      size = 0;
      for (let i = 0; i < 7; i++) {
        if ((instruction & (1 << i)) === 0) continue;
        const byte = delta[at++];
        if (byte === undefined) throw badDelta();
        if (i < 4) from += byte * 2 ** (8 * i);
        else size += byte * 2 ** (8 * (i - 4));
      }
      if (size === 0) size = 0x10000;
    } else {
      from = at;
      at += size;
    }
    const source = copies ? base : delta;
    if (size === 0 || from + size > source.length || filled + size > result.length) throw badDelta();
    copy(source, from, size, result, filled);
    filled += size;
  }
  if (filled !== result.length) throw badDelta();
  return result;
}

/** A call into the engine costs more than it does for the few bytes that most instructions are about. */
function copy(source: Uint8Array, from: number, size: number, target: Buffer, to: number): void {
  if (size > 32) target.set(source.subarray(from, from + size), to);
  else for (let i = 0; i < size; i++) target[to + i] = source[from + i] ?? 0;
}

function badDelta(): GitFailure {
  return new GitFailure("bad-answer", "sent a delta that does not fit");
}
