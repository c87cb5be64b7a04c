import { statfsSync } from "node:fs";
import { ServedError } from "../../proxy/store/served-error.ts";
import { fileFailure } from "./storage-failure.ts";

/** The floor where none is configured: a twentieth of the disk, and no more than this many bytes. */
const largestFloor = 1 << 30;

/** Milliseconds for which a look at the disk is good. */
const lookTime = 1_000;

/**
 * Keeps some of the disk of a folder free: a full one would fail the index, too, and others on the machine. A look takes
 * microseconds, less than handing it to another thread.
 */
export class DiskFloor {
  readonly #folder: string;
  readonly #minFree: number | undefined;
  readonly #now: () => number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isLow = false;

  /** `minFree` is bytes. */
  constructor(folder: string, minFree: number | undefined, now: () => number) {
    this.#folder = folder;
    this.#minFree = minFree;
    this.#now = now;
  }

  /** Throws `ServedError` "store-failed" when less is free than must be. */
  check(): void {
    const now = this.#now();
    if (now - this.#lookedAt >= lookTime) {
      this.#isLow = this.#look();
      this.#lookedAt = now;
    }
    if (this.#isLow)
      throw new ServedError(
        "store-failed",
        "the disk of the data folder is nearly full (storage.minFree): what is stored is served, nothing new is fetched",
      );
  }

  #look(): boolean {
    try {
      const { bavail, blocks, bsize } = statfsSync(this.#folder);
      return bavail * bsize < (this.#minFree ?? Math.min(largestFloor, (blocks * bsize) / 20));
    } catch (error) {
      throw fileFailure(error);
    }
  }
}
