// Port of Go's path.Match, byte for byte: `?` and classes read code points, stars advance by bytes. A chunk between stars
// is matched where it first fits and never again, so the work is at most pattern length times name length.

/** Where a chunk's match ended in the name, undefined where it did not fit; "malformed" for the pattern itself. */
type ChunkMatch = number | undefined | "malformed";

const ascii = {
  star: 0x2a,
  dash: 0x2d,
  slash: 0x2f,
  question: 0x3f,
  open: 0x5b,
  escape: 0x5c,
  close: 0x5d,
  caret: 0x5e,
};

/**
 * Reports whether the whole name matches the glob pattern: Go's `path.Match`, with `malformed` for its ErrBadPattern.
 *
 * `*` is any run without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` classes, `\` takes the next literally.
 */
export function matchPath(pattern: string, name: string): { readonly matched: boolean; readonly malformed: boolean } {
  const result = matchChunks(Buffer.from(pattern), Buffer.from(name));
  return { matched: result === true, malformed: result === "malformed" };
}

function matchChunks(pattern: Uint8Array, name: Uint8Array): boolean | "malformed" {
  let rest = pattern;
  let at = 0;
  while (rest.length > 0) {
    const { star, chunk, after } = scanChunk(rest);
    rest = after;
    if (star && chunk.length === 0) return !name.subarray(at).includes(ascii.slash);
    const end = findChunk(chunk, name, at, star, rest.length === 0);
    if (end === "malformed") return end;
    if (end === undefined) return isWellFormed(rest) ? false : "malformed";
    at = end;
  }
  return at === name.length;
}

/** Splits off the stars at the start of a pattern and what follows up to the next star outside a class. */
function scanChunk(pattern: Uint8Array): { star: boolean; chunk: Uint8Array; after: Uint8Array } {
  let start = 0;
  while (pattern[start] === ascii.star) start++;
  let inClass = false;
  let end = start;
  for (; end < pattern.length; end++) {
    const byte = pattern[end];
    if (byte === ascii.escape) end++;
    else if (byte === ascii.open) inClass = true;
    else if (byte === ascii.close) inClass = false;
    else if (byte === ascii.star && !inClass) break;
  }
  return { star: start > 0, chunk: pattern.subarray(start, end), after: pattern.subarray(end) };
}

/** Finds the end of the chunk's first match at `at`, or behind a star up to the next slash. The last must end the name. */
function findChunk(chunk: Uint8Array, name: Uint8Array, at: number, star: boolean, last: boolean): ChunkMatch {
  for (let start = at; ; start++) {
    const end = matchChunk(chunk, name, start);
    if (end === "malformed") return end;
    if (end !== undefined && (!last || end === name.length)) return end;
    if (!star || start >= name.length || name[start] === ascii.slash) return undefined;
  }
}

function isWellFormed(pattern: Uint8Array): boolean {
  for (let rest = pattern; rest.length > 0; ) {
    const { chunk, after } = scanChunk(rest);
    if (matchChunk(chunk, new Uint8Array(), 0) === "malformed") return false;
    rest = after;
  }
  return true;
}

/** Matches one chunk at one place. It reads the chunk to its end even after a failure, to find what is malformed. */
function matchChunk(chunk: Uint8Array, name: Uint8Array, start: number): ChunkMatch {
  let failed = false;
  let at = start;
  for (let i = 0; i < chunk.length; ) {
    failed ||= at >= name.length;
    const byte = chunk[i];
    if (byte === ascii.open) {
      const rune = failed ? { value: 0, size: 0 } : readRune(name, at);
      const parsed = matchClass(chunk, i + 1, rune.value);
      if (parsed === undefined) return "malformed";
      failed ||= !parsed.matched;
      at += rune.size;
      i = parsed.end;
      continue;
    }
    if (byte === ascii.question) {
      failed ||= name[at] === ascii.slash;
      if (!failed) at += readRune(name, at).size;
    } else {
      if (byte === ascii.escape) i++;
      if (i >= chunk.length) return "malformed";
      failed ||= chunk[i] !== name[at];
      at++;
    }
    i++;
  }
  return failed ? undefined : at;
}

/** Reads a class from behind its `[` and says whether the rune is in it and where the class ends. */
function matchClass(chunk: Uint8Array, start: number, rune: number): { matched: boolean; end: number } | undefined {
  const negated = chunk[start] === ascii.caret;
  let i = negated ? start + 1 : start;
  let inside = false;
  for (let count = 0; count === 0 || chunk[i] !== ascii.close; count++) {
    const low = readClassRune(chunk, i);
    if (low === undefined) return undefined;
    i = low.end;
    let high = low;
    if (chunk[i] === ascii.dash) {
      const bound = readClassRune(chunk, i + 1);
      if (bound === undefined) return undefined;
      high = bound;
      i = bound.end;
    }
    inside ||= low.value <= rune && rune <= high.value;
  }
  return { matched: inside !== negated, end: i + 1 };
}

/** Reads one possibly escaped character of a class; a class that stops here is not closed. */
function readClassRune(chunk: Uint8Array, start: number): { value: number; end: number } | undefined {
  const byte = chunk[start];
  if (byte === ascii.dash || byte === ascii.close) return undefined;
  const at = byte === ascii.escape ? start + 1 : start;
  if (at >= chunk.length) return undefined;
  const { value, size } = readRune(chunk, at);
  return at + size < chunk.length ? { value, end: at + size } : undefined;
}

/** Decodes the rune at `at` of valid UTF-8; in the middle of one, Go's one-byte U+FFFD. */
function readRune(bytes: Uint8Array, at: number): { value: number; size: number } {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return { value: lead, size: 1 };
  if (lead < 0xc0) return { value: 0xfffd, size: 1 };
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let value = lead & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) value = (value << 6) | ((bytes[at + i] ?? 0) & 0x3f);
  return { value, size };
}
