import { GitFailure, refusedBy } from "./git-failure.ts";

/** One packet: a line with its content, or one of the three marks that have none. */
export type Packet =
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "flush" | "delimiter" | "response-end" };

/** Bytes of the longest packet, its length included (gitprotocol-common). */
const longestPacket = 65_520;

const marks: Readonly<Record<number, "flush" | "delimiter" | "response-end">> = {
  0: "flush",
  1: "delimiter",
  2: "response-end",
};

/** Packets out of chunks that are cut anywhere. Linear in the bytes however small the chunks are, and never holds more than one packet. */
export class PacketReader {
  readonly #header = Buffer.alloc(4);
  #headerFilled = 0;
  #packet: Buffer | undefined;
  #packetFilled = 0;

  /** The packets that end in this chunk; their data may be parts of it. Throws `GitFailure` "bad-answer". */
  *read(chunk: Uint8Array): Generator<Packet, void> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) {
      if (this.#packet === undefined && this.#headerFilled === 0 && bytes.length - at >= 4) {
        const length = packetLength(bytes, at);
        if (length >= 4 && at + length <= bytes.length) {
          yield { kind: "data", data: bytes.subarray(at + 4, at + length) };
          at += length;
          continue;
        }
      }
      at += this.#take(bytes.subarray(at));
      const packet = this.#whole();
      if (packet !== undefined) yield packet;
    }
  }

  /** To be called where the chunks end. Throws when that is inside a packet. */
  end(): void {
    if (this.#headerFilled > 0) throw new GitFailure("bad-answer", "ended its answer in the middle of a packet");
  }

  #take(bytes: Buffer): number {
    if (this.#packet === undefined) {
      const count = bytes.copy(this.#header, this.#headerFilled);
      this.#headerFilled += count;
      return count;
    }
    const count = bytes.copy(this.#packet, this.#packetFilled);
    this.#packetFilled += count;
    return count;
  }

  #whole(): Packet | undefined {
    if (this.#packet === undefined) {
      if (this.#headerFilled < 4) return undefined;
      const length = packetLength(this.#header, 0);
      const mark = marks[length];
      if (mark !== undefined) {
        this.#headerFilled = 0;
        return { kind: mark };
      }
      this.#packet = Buffer.allocUnsafe(length - 4);
      this.#packetFilled = 0;
    }
    if (this.#packetFilled < this.#packet.length) return undefined;
    const data = this.#packet;
    this.#packet = undefined;
    this.#headerFilled = 0;
    return { kind: "data", data };
  }
}

function packetLength(bytes: Buffer, at: number): number {
  let length = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) throw notAPacket();
    length = length * 16 + digit;
  }
  if (length === 3 || length > longestPacket) throw notAPacket();
  return length;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function notAPacket(): GitFailure {
  return new GitFailure("bad-answer", "sent something that is not git's protocol");
}

/** The line in a packet without its newline. Throws `GitFailure` "refused" for the server's own `ERR` line. */
export function packetText(data: Buffer): string {
  const text = data.toString("utf8");
  if (text.startsWith("ERR ")) throw refusedBy(text.slice(4));
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

export const flushPacket = "0000";
export const delimiterPacket = "0001";

/** A line as a packet: `"0009done\n"` of `"done"`. Lines are ASCII. */
export function packetOf(line: string): string {
  return `${(line.length + 5).toString(16).padStart(4, "0")}${line}\n`;
}
