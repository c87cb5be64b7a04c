import { crc32, createDeflateRaw } from "node:zlib";
import { CodedError } from "./coded-error.ts";
import { deflateRaw } from "./reused-zlib.ts";

/** A file of a zip that is to be written. */
export interface ZipSource {
  /** Its path in the zip. */
  readonly name: string;
  /** Bytes that it says it has. It may turn out to be shorter. */
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** Bytes up to which a file is deflated in one go: a stream for each file of a large module would cost more than all its bytes. */
const oneGo = 1 << 20;

/** Bytes that are collected before they go on. */
const batchBytes = 128 << 10;

/** Beyond these a zip needs fields of 64 bits (APPNOTE 4.4.1.4). */
const most16 = 0xffff;
const most32 = 0xffffffff;

interface Written {
  readonly isDescribed: boolean;
  readonly crc: number;
  readonly deflated: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * The bytes of a zip of these files, in their order, all deflated, with fixed times and modes: the same files give the same
 * bytes. Memory depends on the number of files, not on their sizes. Fails with what reading a file failed with.
 */
export async function* writeZip(files: Iterable<ZipSource>): AsyncGenerator<Uint8Array, void> {
  const batch = new Batch();
  const directory = new Directory();
  for (const file of files) {
    const name = Buffer.from(file.name, "utf8");
    if (name.length > most16) throw new CodedError("zip-too-large", "a file has a path of more than 65535 bytes");
    const offset = batch.count;
    const isDescribed = file.size > oneGo;
    const facts = isDescribed ? yield* writeStreamed(batch, name, file) : await writeWhole(batch, name, file);
    if (batch.count > most32) throw new CodedError("zip-too-large", "the zip is larger than 4 GiB");
    directory.add({ isDescribed, offset, ...facts }, name);
    yield* batch.full();
  }
  const start = batch.count;
  yield* batch.rest();
  yield* directory.chunks;
  batch.add(endOfDirectory(directory.files, start, directory.bytes));
  yield* batch.rest();
}

type Facts = Pick<Written, "crc" | "deflated" | "size">;

async function writeWhole(batch: Batch, name: Buffer, file: ZipSource): Promise<Facts> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.open()) pieces.push(piece);
  const content = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  const deflated = deflateRaw(content);
  const facts = { crc: crc32(content), deflated: deflated.length, size: content.length };
  batch.add(localHeader(name, facts), name, deflated);
  return facts;
}

/** What is only known at the end stands behind the file. */
async function* writeStreamed(batch: Batch, name: Buffer, file: ZipSource): AsyncGenerator<Uint8Array, Facts> {
  batch.add(localHeader(name, undefined), name);
  let [crc, size, deflated] = [0, 0, 0];
  const deflate = createDeflateRaw({ level: 6, chunkSize: 64 << 10 });
  const closed = new Promise<void>((resolve) => deflate.once("close", resolve));
  const feed = async () => {
    for await (const piece of file.open()) {
      crc = crc32(piece, crc);
      size += piece.length;
      if (deflate.destroyed) return;
      if (deflate.write(piece)) continue;
      await Promise.race([closed, new Promise((resolve) => deflate.once("drain", resolve))]);
    }
    deflate.end();
  };
  feed().catch((error) => deflate.destroy(error));
  for await (const chunk of deflate as AsyncIterable<Buffer>) {
    deflated += chunk.length;
    batch.add(chunk);
    yield* batch.full();
  }
  if (Math.max(size, deflated) > most32) throw new CodedError("zip-too-large", "a file is larger than 4 GiB");
  const facts = { crc, deflated, size };
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  writeFacts(descriptor, 4, facts);
  batch.add(descriptor);
  return facts;
}

/** Collects small pieces, so that what comes behind is not called for each. */
class Batch {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes that were ever added. */
  count = 0;

  add(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      this.count += piece.length;
    }
  }

  *full(): Generator<Uint8Array, void> {
    if (this.#bytes >= batchBytes) yield* this.rest();
  }

  *rest(): Generator<Uint8Array, void> {
    if (this.#bytes > 0) yield Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
  }
}

/** What stands at the end of the zip, as the bytes that it will be: an object for each file would take three times as much. */
class Directory {
  readonly #full: Buffer[] = [];
  #last = Buffer.allocUnsafe(0);
  #used = 0;
  files = 0;
  bytes = 0;

  add(entry: Written, name: Buffer): void {
    const length = directoryHeaderLength + name.length;
    if (this.#used + length > this.#last.length) this.#next(length);
    writeCentralHeader(this.#last.subarray(this.#used, this.#used + directoryHeaderLength), entry, name);
    name.copy(this.#last, this.#used + directoryHeaderLength);
    this.#used += length;
    this.bytes += length;
    this.files++;
  }

  get chunks(): readonly Buffer[] {
    return [...this.#full, this.#last.subarray(0, this.#used)];
  }

  #next(least: number): void {
    if (this.#used > 0) this.#full.push(this.#last.subarray(0, this.#used));
    // As long as what is there already, from little for a zip of a few files.
    this.#last = Buffer.alloc(Math.max(least, Math.min(batchBytes, Math.max(1 << 10, this.bytes))));
    this.#used = 0;
  }
}

const directoryHeaderLength = 46;

/** Names are UTF-8; what is not known yet stands in a descriptor behind the data. */
const utf8 = 0x0800;
const described = 0x0008;
const deflateMethod = 8;
/** The first day that a zip can have, without a time. */
const firstDay = 0x0021;

function localHeader(name: Buffer, facts: Facts | undefined): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, name, facts === undefined ? utf8 | described : utf8);
  if (facts !== undefined) writeFacts(header, 14, facts);
  return header;
}

/** `header` has nothing but zeros. */
function writeCentralHeader(header: Buffer, entry: Written, name: Buffer): void {
  header.writeUInt32LE(0x02014b50, 0);
  // Made on Unix, so that there are modes.
  header.writeUInt16LE((3 << 8) | 20, 4);
  writeCommon(header, 6, name, entry.isDescribed ? utf8 | described : utf8);
  writeFacts(header, 16, entry);
  header.writeUInt32LE(0o100644 * 0x10000, 38);
  header.writeUInt32LE(entry.offset, 42);
}

/** What both headers have: the version that is needed, flags, method, time, day, and the length of the name. */
function writeCommon(header: Buffer, at: number, name: Buffer, flags: number): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(flags, at + 2);
  header.writeUInt16LE(deflateMethod, at + 4);
  header.writeUInt16LE(firstDay, at + 8);
  header.writeUInt16LE(name.length, at + 22);
}

function writeFacts(header: Buffer, at: number, { crc, deflated, size }: Facts): void {
  header.writeUInt32LE(crc, at);
  header.writeUInt32LE(deflated, at + 4);
  header.writeUInt32LE(size, at + 8);
}

function endOfDirectory(count: number, start: number, bytes: number): Buffer {
  const isLarge = count >= most16 || start >= most32;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) end.writeUInt16LE(isLarge ? most16 : count, at);
  end.writeUInt32LE(isLarge ? most32 : bytes, 12);
  end.writeUInt32LE(isLarge ? most32 : start, 16);
  return isLarge ? Buffer.concat([end64(count, start, bytes), end]) : end;
}

/** The end of a directory of 64 bits, and what says where that is. */
function end64(count: number, start: number, bytes: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  for (const at of [12, 14]) end.writeUInt16LE(45, at);
  for (const at of [24, 32]) end.writeBigUInt64LE(BigInt(count), at);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(start + bytes), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
