const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const delete_ = 0x7f;
const endOfFile = 0x1a;

/** Control characters that texts have: backspace, tab, form feed, escape. */
const textControls: ReadonlySet<number> = new Set([0x08, 0x09, 0x0c, 0x1b]);

/** What git counts in a file before it touches its line ends. */
export class TextStatistics {
  /** Line feeds without a carriage return before them. */
  loneLineFeeds = 0;
  /** Carriage returns, before a line feed or not. */
  carriageReturns = 0;
  #loneCarriageReturns = 0;
  #zeros = 0;
  #printable = 0;
  #unprintable = 0;
  #last = -1;

  add(chunk: Uint8Array): void {
    let last = this.#last;
    for (const byte of chunk) {
      if (last === carriageReturn && byte !== lineFeed) this.#loneCarriageReturns++;
      if (byte === lineFeed) {
        if (last !== carriageReturn) this.loneLineFeeds++;
      } else if (byte === carriageReturn) this.carriageReturns++;
      else if (byte < 0x20 ? textControls.has(byte) : byte !== delete_) this.#printable++;
      else {
        this.#unprintable++;
        if (byte === 0) this.#zeros++;
      }
      last = byte;
    }
    this.#last = last;
  }

  /** git's guess: a NUL, a carriage return alone, or more than one byte in 128 that nobody can read. */
  get isBinary(): boolean {
    if (this.#loneCarriageReturns > 0 || this.#last === carriageReturn || this.#zeros > 0) return true;
    // The mark of the end of a file of DOS is none of them.
    const unprintable = this.#unprintable - (this.#last === endOfFile ? 1 : 0);
    return Math.floor(this.#printable / 128) < unprintable;
  }
}

/** The same bytes with a carriage return before each line feed that had none. */
export async function* addCarriageReturns(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let last = -1;
  for await (const chunk of chunks) {
    const out = Buffer.allocUnsafe(2 * chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (byte === lineFeed && last !== carriageReturn) out[length++] = carriageReturn;
      out[length++] = byte;
      last = byte;
    }
    yield out.subarray(0, length);
  }
}
