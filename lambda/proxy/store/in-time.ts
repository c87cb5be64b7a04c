import { ServedError } from "./served-error.ts";

/**
 * The result of `work` if there is one within so many milliseconds. Throws `ServedError` "upstream-timeout" otherwise; the
 * work goes on, and what it stores is there for who asks next.
 */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const message = "the upstreams did not deliver in time";
  const timer = setTimeout(() => reject(new ServedError("upstream-timeout", message)), milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
