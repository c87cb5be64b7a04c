const dollar = 0x24;
const lineFeed = 0x0a;
const space = 0x20;

/**
 * Writes the blob's id into each `$Id$` of a file, and over what an earlier one left behind.
 *
 * As git does it, which counts keywords in one way and replaces them in another: where it counts none nothing is replaced.
 */
export function expandIdent(content: Uint8Array, id: string): Uint8Array {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return hasKeyword(bytes) ? replaceKeywords(bytes, id) : content;
}

function isId(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x49 && bytes[at + 1] === 0x64;
}

function hasKeyword(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(dollar); at >= 0 && bytes.length - at > 3; at = bytes.indexOf(dollar, at)) {
    at++;
    if (!isId(bytes, at)) continue;
    const mark = bytes[at + 2];
    at += 3;
    if (mark === dollar) return true;
    if (mark !== 0x3a) continue;
    while (at < bytes.length) {
      const byte = bytes[at++];
      if (byte === dollar) return true;
      if (byte === lineFeed) break;
    }
  }
  return false;
}

function replaceKeywords(bytes: Buffer, id: string): Uint8Array {
  const keyword = Buffer.from(`Id: ${id} $`);
  const pieces: Uint8Array[] = [];
  let written = 0;
  for (let found = bytes.indexOf(dollar); found >= 0; ) {
    const at = found + 1;
    const end = endOfKeyword(bytes, at);
    if (end === "incomplete") break;
    if (end !== undefined) {
      pieces.push(bytes.subarray(written, at), keyword);
      written = end;
    }
    found = bytes.indexOf(dollar, end ?? at);
  }
  pieces.push(bytes.subarray(written));
  return Buffer.concat(pieces);
}

/** Where the keyword behind the dollar ends, with its own dollar; `undefined` where there is none. */
function endOfKeyword(bytes: Buffer, at: number): number | "incomplete" | undefined {
  if (bytes.length - at < 3 || !isId(bytes, at)) return undefined;
  if (bytes[at + 2] === dollar) return at + 3;
  if (bytes[at + 2] !== 0x3a) return undefined;
  const close = bytes.indexOf(dollar, at + 3);
  if (close < 0) return "incomplete";
  if (bytes.subarray(at + 3, close).includes(lineFeed)) return undefined;
  // Spaces in other places are another system's keyword.
  const gap = at + 4 < close ? bytes.subarray(at + 4, close).indexOf(space) : -1;
  return gap >= 0 && at + 4 + gap < close - 1 ? undefined : close + 1;
}
