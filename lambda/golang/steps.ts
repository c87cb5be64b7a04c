/**
 * Long work in small steps. It yields after about a thousand of them, well within 10 ms, so that whoever runs it on an
 * event loop can let others have their turn; what it comes to is its return value.
 */
export type Steps<T> = Generator<void, T, void>;

/** How many small steps (a token, a comparison, a line) are taken between two yields. */
export const stepsPerTurn = 1000;

/** Does the work in one go: for threads of their own, and for what is known to be short. */
export function allAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
