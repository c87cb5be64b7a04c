/** Work that waits for its turn: so many at once for each name, the others in the order in which they came. */
export class Turns {
  readonly #atOnce: number;
  readonly #lines = new Map<string, Line>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Resolves when it is one's turn, to the function that ends it; calling that again does nothing.
   *
   * Rejects with the signal's reason when it is aborted while waiting.
   */
  async take(name: string, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    const line = this.#lines.get(name) ?? { busy: 0, waiting: new Set() };
    this.#lines.set(name, line);
    if (line.busy === this.#atOnce) await waitIn(line, signal);
    else line.busy++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#pass(name, line);
    };
  }

  /** The place of whoever is ready goes to the one who waits longest, if there is one. */
  #pass(name: string, line: Line): void {
    const [next] = line.waiting;
    if (next !== undefined) {
      line.waiting.delete(next);
      next();
    } else if (--line.busy === 0) this.#lines.delete(name);
  }
}

interface Line {
  busy: number;
  readonly waiting: Set<() => void>;
}

function waitIn(line: Line, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => {
    line.waiting.delete(go);
    reject(signal?.reason);
  };
  const go = () => {
    signal?.removeEventListener("abort", leave);
    resolve();
  };
  line.waiting.add(go);
  signal?.addEventListener("abort", leave, { once: true });
  return promise;
}
