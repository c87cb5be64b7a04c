import { ServedError } from "../../lambda/proxy/store/served-error.ts";

/**
 * One way in which a call ends badly. "failed": nothing happened. "landed": it happened, and the answer was lost. A real
 * medium does both and its caller cannot tell which it was, so that a test has to try each.
 */
export interface Fault {
  readonly method: string;
  readonly kind: "failed" | "landed";
  /** Which call of the method it is, the first being 1; every call when absent. */
  readonly call?: number;
  /** Only calls with these arguments count. */
  readonly when?: (...args: readonly unknown[]) => boolean;
  /** What is thrown: "store-failed" when absent. */
  readonly error?: Error;
}

/** The kinds of fault, to run a test with each. */
export const faultKinds = ["failed", "landed"] as const;

/** Wraps an adapter so that its calls end as planned. The plan is read at each call: a test may change it as it goes. */
export function withFailpoints<T extends object>(adapter: T, plan: readonly Fault[]): T {
  const calls = new Map<Fault, number>();
  return new Proxy(adapter, {
    get(target, method) {
      const value: unknown = Reflect.get(target, method, target);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]) => {
        const fault = plan.filter((each) => isDue(each, method, args, calls)).at(0);
        if (fault === undefined) return Reflect.apply(value, target, args);
        const error = fault.error ?? new ServedError("store-failed", `the planned fault of ${String(method)}`);
        const work = () => Reflect.apply(value, target, args) as unknown;
        return isGenerator(value) ? endGenerator(error) : end(fault.kind, error, work);
      };
    },
  });
}

function isDue(fault: Fault, method: string | symbol, args: readonly unknown[], calls: Map<Fault, number>): boolean {
  if (fault.method !== method || fault.when?.(...args) === false) return false;
  const call = (calls.get(fault) ?? 0) + 1;
  calls.set(fault, call);
  return fault.call === undefined || fault.call === call;
}

function isGenerator(method: object): boolean {
  return Object.prototype.toString.call(method) === "[object AsyncGeneratorFunction]";
}

/** Reading changes nothing, so that here both kinds are the same: the listing breaks off. */
// biome-ignore lint/correctness/useYield: it fails before the first key
async function* endGenerator(error: Error): AsyncIterable<never> {
  throw error;
}

async function end(kind: Fault["kind"], error: Error, work: () => unknown): Promise<never> {
  if (kind === "landed") await work();
  throw error;
}
