import { closeSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { noise } from "./module-fixture.ts";
import { littleEndian } from "./raw-zip.ts";

const fileSize = 40 << 20;

/** Writes the zip of a module version with `files` stored files of 40 MiB each that do not compress, always the same. */
export function writeLargeZip(path: string, prefix: string, files: number): void {
  const block = noise("large", 1 << 20);
  let checksum = 0;
  for (let done = 0; done < fileSize; done += block.length) checksum = crc32(block, checksum);
  const claims = littleEndian([2, 0], [2, 0], [4, 0], [4, checksum], [4, fileSize], [4, fileSize]);
  const out = openSync(path, "wx");
  const directory: Uint8Array[] = [];
  let offset = 0;
  const write = (...parts: Uint8Array[]) => {
    for (const part of parts) offset += writeSync(out, part);
  };
  for (let i = 0; i < files; i++) {
    const name = Buffer.from(`${prefix}/f${i}.bin`);
    const lengths = littleEndian([2, name.length], [2, 0]);
    const version = littleEndian([2, 20]);
    const rest = littleEndian([2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    directory.push(littleEndian([4, 0x02014b50], [2, 20]), version, claims, littleEndian([2, name.length]), rest, name);
    write(littleEndian([4, 0x04034b50]), version, claims, lengths, name);
    for (let done = 0; done < fileSize; done += block.length) write(block);
  }
  const at = offset;
  write(...directory);
  write(littleEndian([4, 0x06054b50], [4, 0], [2, files], [2, files], [4, offset - at], [4, at], [2, 0]));
  closeSync(out);
}
