import { randomUUID } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import type { Purges } from "../../proxy/store/purges.ts";

/** Milliseconds between two looks: of what another process purges every process knows within a second. */
const lookInterval = 250;

/** Purges of the lists that processes keep in memory: a file of the data folder, whose change tells all that use it. */
export class PurgeSignal implements Purges {
  readonly #file: string;
  readonly #listeners: (() => void)[] = [];
  #seen: bigint;

  constructor(file: string) {
    this.#file = file;
    this.#seen = changedAt(file);
  }

  /** Purges are few and what is kept is made anew in a moment, so that all lists go. */
  async purge(): Promise<void> {
    try {
      writeFileSync(this.#file, randomUUID());
    } catch {
      // A full or read-only medium: the others know when the time to live is over.
    }
    this.#tell();
  }

  /** Calls `listener` after each purge, whoever made it. Returns what ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.push(listener);
    const timer = setInterval(() => changedAt(this.#file) !== this.#seen && this.#tell(), lookInterval).unref();
    return () => clearInterval(timer);
  }

  #tell(): void {
    this.#seen = changedAt(this.#file);
    for (const listener of this.#listeners) listener();
  }
}

function changedAt(file: string): bigint {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
}
