/**
 * Work that is done for many at once, one round after the other, within this process.
 *
 * Who comes while a round is under way takes part in the next, with all others who came: so that what a round reads is
 * never older than who waits for it.
 */
export class Rounds<T, R> {
  readonly #work: (items: readonly T[]) => Promise<R>;
  #next: { readonly items: T[]; readonly result: Promise<R> } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(work: (items: readonly T[]) => Promise<R>) {
    this.#work = work;
  }

  /** The result of the next round, with these items in it; all who take part share it, and its failure. */
  join(items: readonly T[]): Promise<R> {
    this.#next ??= this.#plan();
    this.#next.items.push(...items);
    return this.#next.result;
  }

  #plan() {
    const items: T[] = [];
    const result = this.#last.then(() => {
      this.#next = undefined;
      return this.#work(items);
    });
    this.#last = result.catch(() => undefined);
    return { items, result };
  }
}
