import { crc32, deflateRawSync } from "node:zlib";

/** One file of a zip that is written byte by byte, so that every field can lie. What is not given is right. */
export interface RawEntry {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** 0 stored (the default), 8 deflated, anything else stored under a wrong label. */
  readonly method?: number;
  readonly flags?: number;
  readonly crc32?: number;
  readonly compressedSize?: number;
  readonly uncompressedSize?: number;
  readonly headerOffset?: number;
  /** The compressed bytes themselves. */
  readonly data?: Uint8Array;
  readonly extra?: Uint8Array;
  /** Bytes between this content and the next header: where a data descriptor goes. */
  readonly after?: Uint8Array;
}

/** Fields of the record that ends the directory. */
export interface RawEnd {
  readonly records?: number;
  readonly directorySize?: number;
  readonly directoryOffset?: number;
  readonly comment?: Uint8Array;
  readonly commentLength?: number;
  /** Bytes before the record: where those of zip64 go, given where the directory is. */
  readonly before?: (directory: {
    readonly offset: number;
    readonly size: number;
    readonly records: number;
  }) => Uint8Array;
}

const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === "string" ? Buffer.from(value) : value);

/** Little-endian numbers one after the other, each as `[width in bytes, value]`. */
export function littleEndian(...fields: readonly (readonly [2 | 4 | 8, number | bigint])[]): Buffer {
  return Buffer.concat(
    fields.map(([width, value]) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
      return bytes.subarray(0, width);
    }),
  );
}

function prepare(entry: RawEntry) {
  const content = bytesOf(entry.content ?? "");
  const method = entry.method ?? 0;
  const data = entry.data ?? (method === 8 ? deflateRawSync(content) : content);
  const claims = littleEndian(
    [2, entry.flags ?? 0],
    [2, method],
    [4, 0],
    [4, entry.crc32 ?? crc32(content)],
    [4, entry.compressedSize ?? data.length],
    [4, entry.uncompressedSize ?? content.length],
  );
  return { entry, name: bytesOf(entry.name), extra: entry.extra ?? new Uint8Array(), claims, data };
}

/** Writes a zip of these entries in this order. */
export function rawZip(entries: readonly RawEntry[], end: RawEnd = {}): Buffer {
  const local: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { entry, name, extra, claims, data } of entries.map(prepare)) {
    const start = littleEndian([4, 0x04034b50], [2, 20]);
    const file = [start, claims, littleEndian([2, name.length], [2, 0]), name, data, entry.after ?? new Uint8Array()];
    directory.push(littleEndian([4, 0x02014b50], [2, 20], [2, 20]), claims);
    directory.push(littleEndian([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0]));
    directory.push(littleEndian([4, entry.headerOffset ?? offset]), name, extra);
    local.push(...file);
    offset += file.reduce((total, part) => total + part.length, 0);
  }
  const size = directory.reduce((total, part) => total + part.length, 0);
  const comment = end.comment ?? new Uint8Array();
  const records = end.records ?? entries.length;
  return Buffer.concat([
    ...local,
    ...directory,
    end.before?.({ offset, size, records: entries.length }) ?? new Uint8Array(),
    littleEndian([4, 0x06054b50], [4, 0], [2, records], [2, records]),
    littleEndian([4, end.directorySize ?? size], [4, end.directoryOffset ?? offset]),
    littleEndian([2, end.commentLength ?? comment.length]),
    comment,
  ]);
}
