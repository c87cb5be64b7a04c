import type { TestContext } from "node:test";

/** One implementation with nothing in it, as a contract suite gets it for each of its tests. */
export interface Opened<T> {
  readonly store: T;
  /** A second one over the same data, as another process has it. */
  readonly reopen?: () => Promise<T>;
  readonly close?: () => Promise<void>;
}

export type Open<T> = () => Promise<Opened<T>>;

/** Opens an implementation for one test, and closes it with the test. `other` is the second one, or the same again. */
export async function openFor<T>(t: TestContext, open: Open<T>): Promise<{ readonly store: T; readonly other: T }> {
  const opened = await open();
  t.after(() => opened.close?.());
  return { store: opened.store, other: (await opened.reopen?.()) ?? opened.store };
}
