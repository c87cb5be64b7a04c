import {
  type Upstream,
  type UpstreamBody,
  UpstreamFailure,
  type UpstreamFailureCode,
} from "../../lambda/proxy/sources/upstream.ts";
import type { RetryPolicy } from "../../lambda/proxy/sources/upstream-chain.ts";

/** Retries as in production, without the waiting. */
export const quickRetry: RetryPolicy = { retries: 2, pause: 0, patience: 2_000, random: () => 0.5 };

/** A body, a status, a failure before the headers, "cut" for a body that breaks off, or "hang" until it is aborted. */
export type FakeAnswer = string | number | UpstreamFailureCode | "cut" | "hang";

const failureCodes: ReadonlySet<FakeAnswer> = new Set<UpstreamFailureCode>([
  "too-large",
  "unreachable",
  "connect-timeout",
  "timeout",
  "bad-answer",
  "redirects",
  "refused-address",
  "breaker-open",
  "no-credentials",
]);

/** An upstream without HTTP, which answers by path; 404 where it knows none. */
export class FakeUpstream implements Upstream {
  readonly name: string;
  /** Every path it was asked for, in order. */
  readonly asked: string[] = [];
  /** Bodies whose iterator was neither read to the end nor told to return. */
  open = 0;
  readonly #answers = new Map<
    string,
    { readonly answer: FakeAnswer; readonly text?: string; readonly retryAfter?: number }
  >();

  constructor(name: string) {
    this.name = name;
  }

  /** Answers `path` so from now on; `text` is what it says beside a status. */
  on(path: string, answer: FakeAnswer | "reset", text?: string, retryAfter?: number): this {
    const code = answer === "reset" ? "unreachable" : answer;
    this.#answers.set(path, { answer: code, ...(text && { text }), ...(retryAfter && { retryAfter }) });
    return this;
  }

  count(path: string): number {
    return this.asked.filter((each) => each === path).length;
  }

  async get(path: string, options: { readonly limit: number; readonly signal?: AbortSignal }): Promise<UpstreamBody> {
    this.asked.push(path);
    const { answer, ...said } = this.#answers.get(path) ?? { answer: 404 };
    if (answer === "hang") await aborted(options.signal);
    if (typeof answer === "number" && answer !== 200) {
      throw new UpstreamFailure("status", `answered ${answer}`, { details: { status: answer, ...said } });
    }
    if (failureCodes.has(answer)) throw new UpstreamFailure(answer as UpstreamFailureCode, "failed as it was told");
    this.open++;
    return { chunks: this.#chunks(String(answer)), length: undefined };
  }

  #chunks(answer: string): AsyncIterable<Uint8Array> {
    let left = 1;
    const close = () => {
      if (left >= 0) this.open--;
      left = -1;
    };
    const iterator: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (left-- > 0) return { done: false, value: Buffer.from(answer) };
        left = 0;
        close();
        if (answer === "cut") throw new UpstreamFailure("unreachable", "broke off");
        return { done: true, value: undefined };
      },
      return: async () => {
        close();
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
