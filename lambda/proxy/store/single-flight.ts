/** Runs a piece of work once for all who ask for it while it is under way, within this process. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** The result of `work`, or of the work already running under the same `key`; failures are shared alike. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  /** The result of `work`, begun when all that is under way under this `key` has ended. */
  async runAfter(key: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const running = this.#running.get(key);
      if (running === undefined) return await this.run(key, work);
      await running.catch(() => {});
    }
  }
}
