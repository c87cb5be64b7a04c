import { GitFailure } from "./git-failure.ts";

/** How an entry stands in a packfile: a whole object, or a delta to one that stands before it or anywhere. */
export interface PackEntry {
  /** 1 to 4 of a whole object (`objectTypes`), 6 of a delta to an offset, 7 of one to an id. */
  readonly type: number;
  /** Bytes that its data inflate to. */
  readonly size: number;
  /** Where its deflated data begin, from the entry's own start. */
  readonly dataStart: number;
  /** Of type 6: how far before the entry its base begins. */
  readonly baseDistance: number;
  /** Of type 7: where in the entry the base's id stands. */
  readonly baseIdStart: number;
}

export const offsetDelta = 6;
export const idDelta = 7;

/** Bytes that are enough for any entry's header. */
export const longestEntryHeader = 64;

/** Reads the header of an entry from its first bytes. Throws `GitFailure` "bad-answer". */
export function parsePackEntry(bytes: Uint8Array, idLength: number): PackEntry {
  const first = bytes[0] ?? 0;
  const type = (first >> 4) & 7;
  let size = first & 15;
  let at = 1;
  for (let unit = 16, more = first >= 0x80; more; unit *= 128, at++) {
    const byte = bytes[at];
    if (byte === undefined || at > 7) throw badEntry();
    size += (byte & 0x7f) * unit;
    more = byte >= 0x80;
  }
  const rest = { baseDistance: 0, baseIdStart: 0 };
  if (type >= 1 && type <= 4) return { type, size, dataStart: at, ...rest };
  if (type === idDelta) return { type, size, dataStart: at + idLength, ...rest, baseIdStart: at };
  if (type !== offsetDelta) throw badEntry();
  const { distance, next } = readDistance(bytes, at);
  return { type, size, dataStart: next, ...rest, baseDistance: distance };
}

/** Seven bits a byte, the high ones first, and one more for each byte that follows: no distance is written in two ways. */
function readDistance(bytes: Uint8Array, start: number): { readonly distance: number; readonly next: number } {
  let distance = 0;
  for (let at = start; at < start + 7; at++) {
    const byte = bytes[at];
    if (byte === undefined) break;
    distance = distance * 128 + (byte & 0x7f);
    if (byte < 0x80) return { distance, next: at + 1 };
    distance++;
  }
  throw badEntry();
}

function badEntry(): GitFailure {
  return new GitFailure("bad-answer", "sent a packfile with an entry that is none");
}
