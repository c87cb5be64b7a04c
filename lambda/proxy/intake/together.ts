/**
 * Like `Promise.all`, but waits for every promise before it fails with the first failure in the order given: nothing
 * is still writing when the caller cleans up, and a file's own 404 is not hidden by what failed beside it.
 */
export async function together<T extends readonly unknown[]>(
  ...work: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
