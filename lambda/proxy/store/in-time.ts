import type { Clock } from "./clock.ts";
import { ServedError } from "./served-error.ts";

/**
 * The result of `work` if there is one within so many milliseconds. Throws `ServedError` "upstream-timeout" otherwise; the
 * work goes on, and what it stores is there for the next request.
 */
export async function inTime<T>(clock: Pick<Clock, "after">, milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const message = "the upstreams did not deliver in time";
  const stop = clock.after(milliseconds, () => reject(new ServedError("upstream-timeout", message)));
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}
