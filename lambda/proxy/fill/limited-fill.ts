import type { Clock } from "../store/clock.ts";
import type { FillAnswer, FillPlane, FillRequest } from "../store/fill-plane.ts";
import { type FillLimits, FillTurns } from "./fill-turns.ts";

export interface LimitedFillParts extends FillLimits {
  readonly fill: FillPlane;
  readonly clock: Pick<Clock, "after">;
  /** Who asks for what is filled now. */
  readonly client: () => string;
  /** Throws `ServedError` "store-failed" where there is no room for another file. */
  readonly checkRoom: () => void;
}

/** A fill plane that clients cannot wear out: it fills so much at once, and no files where the disk is nearly full. */
export class LimitedFill implements FillPlane {
  readonly #parts: LimitedFillParts;
  readonly #turns: FillTurns;
  /** How many ask for each thing that is under way. */
  readonly #asked = new Map<string, number>();

  constructor(parts: LimitedFillParts) {
    this.#parts = parts;
    this.#turns = new FillTurns(parts, parts.clock);
  }

  /** Who asks for what is under way joins it, and takes no turn. */
  async fill(request: FillRequest, waitUntil?: number): Promise<FillAnswer> {
    const { fill, client, checkRoom } = this.#parts;
    if ("module" in request && request.kind !== "lookup") checkRoom();
    const key = JSON.stringify(request);
    const work = () => this.#counted(key, () => fill.fill(request, waitUntil));
    return this.#asked.has(key) ? work() : this.#turns.run(client(), work);
  }

  async #counted<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#asked.get(key) ?? 1) - 1;
      if (left === 0) this.#asked.delete(key);
      else this.#asked.set(key, left);
    }
  }
}
