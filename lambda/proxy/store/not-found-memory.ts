import type { Clock } from "./clock.ts";
import { ServedError } from "./served-error.ts";
import type { MemoryName, VersionIndex } from "./version-index.ts";

export interface NotFoundMemoryParts {
  readonly index: VersionIndex;
  readonly clock: Pick<Clock, "now">;
  /** Seconds for which an upstream's 404 is remembered. */
  readonly notFoundSeconds: number;
}

/** What upstreams said they do not have, for a while that is counted from the first such answer. */
export class NotFoundMemory {
  readonly #parts: NotFoundMemoryParts;

  constructor(parts: NotFoundMemoryParts) {
    this.#parts = parts;
  }

  /** The "not-found" that is still remembered under `name`. */
  async recall(path: string, name: MemoryName): Promise<ServedError | undefined> {
    const { index, clock } = this.#parts;
    const missing = await index.recall(path, name);
    if (missing === undefined || missing.freshUntil <= clock.now()) return undefined;
    return new ServedError("not-found", missing.text);
  }

  /** Throws the "not-found" that is still remembered under `name`. */
  async refuse(path: string, name: MemoryName): Promise<void> {
    const missing = await this.recall(path, name);
    if (missing !== undefined) throw missing;
  }

  /** Remembers a "not-found", and no other failure; another process's earlier one is not prolonged. */
  async remember(path: string, name: MemoryName, error: unknown): Promise<void> {
    if (!(error instanceof ServedError) || error.code !== "not-found") return;
    if ((await this.recall(path, name)) !== undefined) return;
    const { index, clock, notFoundSeconds } = this.#parts;
    await index.remember(path, name, { text: error.message, freshUntil: clock.now() + notFoundSeconds * 1000 });
  }
}
