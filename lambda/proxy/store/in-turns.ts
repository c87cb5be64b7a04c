import { type Steps, stepsPerTurn } from "../../golang/steps.ts";

/** The works under way in this process that wait for their next turn, the longest waiting first. */
const waiting: (() => void)[] = [];

/**
 * What long work comes to. One part of one work is done in each turn of the event loop, however many works there are, so
 * that what upstreams send cannot keep everybody else waiting for longer than such a part takes. Throws what the work throws.
 */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  if (waiting.length > 0) await nextTurn();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await nextTurn();
  }
}

/** Looks at each of many, which must not change meanwhile, in turns with everybody else. */
export async function eachInTurns<T>(items: Iterable<T>, look: (item: T) => void): Promise<void> {
  let looks = 0;
  for (const item of items) {
    if (++looks % stepsPerTurn === 0) await nextTurn();
    look(item);
  }
}

/** Lets everybody else have their turn first: for long work of many short steps, each of which may end without waiting. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(takeTurn);
}
