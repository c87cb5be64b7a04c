/** Something that whoever shares it takes a part of for itself. */
export interface Shareable<T> {
  share(): T;
  release(): void;
}

interface SharedCall {
  readonly result: Promise<unknown>;
  readonly abort: AbortController;
  waiting: number;
}

/** Calls for the same thing at the same time are one: it ends when it is done, or when nobody waits for it any more. */
export class SharedCalls {
  readonly #calls = new Map<string, SharedCall>();

  /** What `work` comes to, or the signal's reason when that is aborted first. `work` gets a signal of its own. */
  run<T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#join(
      key,
      signal,
      work,
      (value) => value,
      () => {},
    );
  }

  /** Whether such a call is under way. */
  has(key: string): boolean {
    return this.#calls.has(key);
  }

  /** The same of something that is to be released: everybody gets a share. */
  runShared<T extends Shareable<T>>(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#join(
      key,
      signal,
      work,
      (value) => value.share(),
      (value) => value.release(),
    );
  }

  async #join<T>(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
    take: (value: T) => T,
    end: (value: T) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    const call = this.#calls.get(key) ?? this.#start(key, work);
    call.waiting++;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return take((await Promise.race([call.result, promise])) as T);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      call.waiting--;
      if (call.waiting === 0) {
        this.#forget(key, call);
        call.abort.abort(new Error("nobody waits any more"));
        call.result.then((value) => end(value as T)).catch(() => {});
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<unknown>): SharedCall {
    const abort = new AbortController();
    const call = { result: work(abort.signal), abort, waiting: 0 };
    this.#calls.set(key, call);
    const forget = () => this.#forget(key, call);
    call.result.then(forget, forget);
    return call;
  }

  /** Whoever comes now starts anew. */
  #forget(key: string, call: SharedCall): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }
}
