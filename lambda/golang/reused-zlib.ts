// zlib for very many small pieces. Node's own calls set up a stream object and a native one for each piece: for a file of a
// kilobyte that is three quarters of the time, and most of the garbage. Here one native stream is reset and used again,
// through what Node keeps for packages that do so (`_handle`, which minizlib uses, and npm by that). Where it is not there,
// or does not do the same, Node's calls are made. What it makes is verified by whoever reads it: objects of git by their
// hashes, files of a zip by their checksums.

import {
  constants,
  createDeflateRaw,
  createInflate,
  deflateRawSync,
  deflateSync,
  inflateSync,
  type ZlibOptions,
} from "node:zlib";

/** What came of inflating, and how many bytes of the input that took. */
export interface Inflated {
  readonly data: Buffer;
  readonly consumed: number;
}

/** The largest piece for which a stream is used again; for larger ones setting one up costs nothing beside them. */
const largest = 1 << 20;

/**
 * Inflates a zlib stream of exactly `size` bytes, whatever follows it; `undefined` when it is broken, cut off, or comes to
 * another size.
 */
export function inflateExactly(input: Uint8Array, size: number): Inflated | undefined {
  return size <= largest && isReusable() ? inflateReused(input, size) : inflateAnew(input, size);
}

/** Deflates a piece, without any header. The same bytes give the same bytes. */
export function deflateRaw(input: Uint8Array): Buffer {
  return (input.length <= largest && isReusable() ? deflateReused(input) : undefined) ?? deflateAnew(input);
}

/** The native half of a stream. */
interface Handle {
  writeSync(flush: number, input: Uint8Array, at: number, length: number, out: Buffer, to: number, room: number): void;
  reset(): void;
}

/** What a stream of node:zlib has beside what its type says. */
interface Engine {
  readonly _handle: Handle;
  /** After a write: the bytes that are left of the output, and of the input. */
  readonly _writeState: Uint32Array;
  readonly destroyed: boolean;
}

/** One stream that is given one whole piece after the other. */
class ReusedStream {
  readonly #open: () => unknown;
  #engine: Engine | undefined;

  constructor(open: () => unknown) {
    this.#open = open;
  }

  /** `undefined` for an input that is broken or cut off. */
  run(input: Uint8Array, out: Buffer): { readonly written: number; readonly read: number } | undefined {
    this.#engine ??= this.#open() as Engine;
    const engine = this.#engine;
    engine._handle.reset();
    engine._handle.writeSync(constants.Z_FINISH, input, 0, input.length, out, 0, out.length);
    const [room = 0, left = 0] = engine._writeState;
    if (!engine.destroyed) return { written: out.length - room, read: input.length - left };
    this.#engine = undefined;
    return undefined;
  }
}

// What went wrong is seen at once; nobody needs to hear of it later.
const inflater = new ReusedStream(() => createInflate().on("error", () => {}));
const deflater = new ReusedStream(() => createDeflateRaw({ level: 6 }).on("error", () => {}));

function inflateReused(input: Uint8Array, size: number): Inflated | undefined {
  // A byte more, so that a stream that goes on is told from one that ends.
  const out = Buffer.allocUnsafe(size + 1);
  const done = inflater.run(input, out);
  return done?.written === size ? { data: out.subarray(0, size), consumed: done.read } : undefined;
}

let scratch = Buffer.alloc(0);

/** `undefined` when there was not enough room, which there always is. */
function deflateReused(input: Uint8Array): Buffer | undefined {
  const room = input.length + (input.length >> 6) + 1024;
  if (scratch.length < room) scratch = Buffer.allocUnsafe(room);
  const done = deflater.run(input, scratch);
  if (done === undefined || done.written === scratch.length) return undefined;
  return Buffer.from(scratch.subarray(0, done.written));
}

let reusable: boolean | undefined;

function isReusable(): boolean {
  reusable ??= doesTheSame();
  return reusable;
}

/** Tries everything that is relied on. */
function doesTheSame(): boolean {
  const text = Buffer.from("a text that is used again, and again, and again");
  try {
    const raw = deflateReused(text);
    if (raw === undefined || !deflateRawSync(text, { level: 6 }).equals(raw)) return false;
    const whole = Buffer.concat([deflateSync(text), Buffer.from("more")]);
    for (let i = 0; i < 2; i++) {
      const inflated = inflateReused(whole, text.length);
      if (inflated?.consumed !== whole.length - 4 || !inflated.data.equals(text)) return false;
      const wrong = [inflateReused(whole, text.length - 1), inflateReused(whole, text.length + 1)];
      wrong.push(inflateReused(whole.subarray(0, 9), text.length), inflateReused(text, text.length));
      if (wrong.some((each) => each !== undefined)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Node's own call, for what cannot be used again. */
function inflateAnew(input: Uint8Array, size: number): Inflated | undefined {
  try {
    const options = { info: true, maxOutputLength: size + 1, chunkSize: Math.min(Math.max(size + 1, 64), 64 << 10) };
    // With `info` it also says what it took in, which its type does not know.
    const { buffer, engine } = inflateSync(input, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return buffer.length === size ? { data: buffer, consumed: engine.bytesWritten } : undefined;
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code ?? "");
    if (code.startsWith("Z_") || code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw error;
  }
}

function deflateAnew(input: Uint8Array): Buffer {
  return deflateRawSync(input, deflateOptions(input.length));
}

/** What deflating takes is set aside anew: for a small piece the usual 256 KiB would cost more than its bytes. */
function deflateOptions(size: number): ZlibOptions {
  const windowBits = Math.min(15, Math.max(9, 32 - Math.clz32(size)));
  // As many symbols in a block as there are bytes, so that the result is no longer for it.
  return { level: 6, windowBits, memLevel: Math.min(8, windowBits - 6), chunkSize: Math.min(size + 64, 64 << 10) };
}
