/** Wraps an adapter so that each call of a method is noted as `"<name>.<method>"` before it is made. */
export function countedCalls<T extends object>(name: string, adapter: T, calls: string[]): T {
  return new Proxy(adapter, {
    get(target, method) {
      const value: unknown = Reflect.get(target, method, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(`${name}.${String(method)}`);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

/** How often each call was made: `{ "index.module": 1 }`. */
export function countsOf(calls: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const call of calls) counts[call] = (counts[call] ?? 0) + 1;
  return counts;
}
