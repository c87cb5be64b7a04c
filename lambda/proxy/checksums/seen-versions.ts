import { createHash } from "node:crypto";
import type { ModuleVersion } from "../store/layout.ts";

/** Bytes of a SHA-256 by which a version is remembered: nobody finds two with the same. */
const width = 16;

/** Which module versions were seen, in 32 to 64 bytes for each, however long their names are. */
export class SeenVersions {
  #slots = Buffer.alloc(1024 * width);
  #count = 0;

  /** Remembers the version; false when it was seen before. */
  add({ path, version }: ModuleVersion): boolean {
    if (2 * this.#count * width >= this.#slots.length) this.#grow();
    const added = this.#put(createHash("sha256").update(`${path}@${version}`).digest().subarray(0, width));
    if (added) this.#count++;
    return added;
  }

  #put(print: Buffer): boolean {
    const slots = this.#slots.length / width;
    for (let slot = print.readUInt32BE(0) % slots; ; slot = (slot + 1) % slots) {
      const there = this.#slots.subarray(slot * width, (slot + 1) * width);
      if (there.equals(print)) return false;
      if (there.every((byte) => byte === 0)) return print.copy(there) === width;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = Buffer.alloc(old.length * 2);
    for (let at = 0; at < old.length; at += width) {
      const print = old.subarray(at, at + width);
      if (!print.every((byte) => byte === 0)) this.#put(print);
    }
  }
}
