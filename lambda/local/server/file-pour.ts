import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { ByteRange } from "../../http/byte-range.ts";

/** Bytes: so large that calls do not count, and so small that many downloads may have two. */
const sizes = { large: 1 << 20, small: 64 << 10 } as const;

/** Large pieces of one process, for two downloads; the others go on with small ones. */
const mostLarge = 4;

/** Small pieces that are kept for later: 32 downloads. More are made where more are needed, and let go afterwards. */
const mostSmall = 64;

/**
 * Memory through which files are sent, used again and again: a fresh piece each time costs twice the CPU, nearly all of
 * it the system's page faults. 8 MB are kept.
 *
 * Nobody waits for a piece: slow clients may hold all large ones, and the next client gets a small one.
 */
class Pieces {
  readonly #large: Buffer[] = [];
  readonly #small: Buffer[] = [];
  #largeMade = 0;

  take(): Buffer {
    const free = this.#large.pop();
    if (free !== undefined) return free;
    if (this.#largeMade === mostLarge) return this.#small.pop() ?? Buffer.allocUnsafeSlow(sizes.small);
    this.#largeMade++;
    return Buffer.allocUnsafeSlow(sizes.large);
  }

  /** Takes a piece back that nobody reads any more. */
  give(piece: Buffer): void {
    if (piece.length === sizes.large) this.#large.push(piece);
    else if (this.#small.length < mostSmall) this.#small.push(piece);
  }

  /** Leaves a piece to the collector: a broken connection may not have let go of it. */
  lose(piece: Buffer): void {
    if (piece.length === sizes.large) this.#largeMade--;
  }
}

const pieces = new Pieces();

/** How slowly a client may take what was written at once: bytes a second, and milliseconds beside them. */
const slowest = { rate: 4_096, patience: 30_000 } as const;

/**
 * Gives up a client that does not take `bytes` in the time that a slow line needs; returns what ends the watch.
 *
 * That something still happens on a connection does not do: a byte now and then would hold memory and a descriptor for
 * as long as somebody likes.
 */
export function watchTaking(client: Writable, bytes: number): () => void {
  const timer = setTimeout(() => client.destroy(), slowest.patience + (bytes / slowest.rate) * 1000);
  timer.unref();
  return () => clearTimeout(timer);
}

/**
 * Writes a part of a file as fast as the client takes it, reading the next piece while one is on its way. Ends early, and
 * without an error, when the client has gone.
 */
export async function pour(file: FileHandle, client: Writable, { start, end }: ByteRange): Promise<void> {
  let sent: Promise<void> = Promise.resolve();
  for (let at = start; at <= end && !client.destroyed; ) {
    const piece = pieces.take();
    const part = await fill(file, piece, at, end + 1);
    at += part.length;
    await sent;
    sent = send(client, piece, part);
  }
  await sent;
  client.end();
}

/**
 * Ends an answer with a body that is in memory, piece by piece: under TLS all that is written at once is copied at once, and
 * a client that does not read would hold a copy of its own.
 */
export function pourBytes(body: Uint8Array, client: Writable): void {
  let at = 0;
  let taken = () => {};
  client.on("close", () => taken());
  const next = (error?: Error | null) => {
    taken();
    if (error || client.destroyed) return;
    const piece = body.subarray(at, at + sizes.small);
    at += piece.length;
    taken = watchTaking(client, piece.length);
    if (at < body.length) client.write(piece, next);
    else client.end(piece);
  };
  next();
}

async function fill(file: FileHandle, piece: Buffer, at: number, end: number): Promise<Buffer> {
  try {
    const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, end - at), at);
    if (bytesRead > 0) return piece.subarray(0, bytesRead);
  } catch (error) {
    pieces.give(piece);
    throw error;
  }
  pieces.give(piece);
  throw new Error("a stored file became shorter");
}

/** Resolves when the piece is with the system, or the client gone. */
function send(client: Writable, piece: Buffer, part: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let settled = false;
    const taken = watchTaking(client, part.length);
    const settle = (isFree: boolean) => {
      if (settled) return;
      settled = true;
      taken();
      client.off("close", lost);
      if (isFree) pieces.give(piece);
      else pieces.lose(piece);
      resolve();
    };
    const lost = () => settle(false);
    client.on("close", lost);
    client.write(part, (error) => settle(!error));
    if (client.destroyed) lost();
  });
}
