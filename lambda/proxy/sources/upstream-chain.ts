import type { Clock } from "../store/clock.ts";
import { ServedError } from "../store/served-error.ts";
import { type Chain, type Upstream, type UpstreamBody, UpstreamFailure } from "./upstream.ts";
import { concludeChain, judgeError, type Verdict } from "./upstream-verdict.ts";

export interface ChainOptions {
  /** Bytes of body that are too many. */
  readonly limit: number;
  /** Milliseconds for everything: all upstreams, all tries, all reading. Without it only an upstream's own timeouts end it. */
  readonly budget?: number;
  readonly clock: Clock;
  /** Milliseconds: for `Upstream.get`. */
  readonly maxAge?: number | undefined;
  /** Gives up: rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How tries are spaced; for tests. */
  readonly retry?: RetryPolicy;
}

export interface RetryPolicy {
  /** Tries after the first. */
  readonly retries: number;
  /** Milliseconds around which the first pause lies; each further one is three times as long. */
  readonly pause: number;
  /** The longest `Retry-After`, in milliseconds, that is waited for; a longer one means no further try. */
  readonly patience: number;
  /** At least 0, below 1. */
  readonly random: () => number;
}

const defaultRetryPolicy: RetryPolicy = { retries: 2, pause: 200, patience: 2_000, random: Math.random };

/** Reads and validates a body. Its `CodedError`s count as an error of this upstream, see `judgeError`. */
export type ConsumeBody<T> = (body: UpstreamBody, upstream: Upstream) => Promise<T>;

/**
 * GETs `path` from the first upstream of a chain that has it and returns what `consume` made of the body.
 *
 * Goes on to the next upstream by Go's rules: behind `,` after 404 and 410 only, behind `|` after any error, bad content
 * included. Each upstream is tried again at most twice, after failures that may pass. Nothing of a body is left
 * unread: the connection is closed when `consume` did not read to the end. Since a retry may follow a body cut off in the
 * middle, `consume` must be able to start afresh.
 *
 * Throws `ServedError`: "not-found", "upstream-refused", "upstream-unauthorized", "upstream-failed", "upstream-timeout"
 * (docs/protocol.md "Answers"), or what `consume` threw. An outage anywhere on the way never becomes "not-found".
 */
export async function fetchFromChain<T>(
  chain: Chain,
  path: string,
  consume: ConsumeBody<T>,
  options: ChainOptions,
): Promise<T> {
  const deadline = new Deadline(options);
  const { limit, maxAge, retry = defaultRetryPolicy } = options;
  const attempt = { path, consume, limit, maxAge, retry, deadline };
  const errors: ServedError[] = [];
  try {
    for (const { upstream, onAnyError } of chain.steps) {
      const result = await tryUpstream(upstream, attempt);
      if ("value" in result) return result.value;
      errors.push(result.verdict.error);
      const goOn = (onAnyError || result.verdict.absent) && !deadline.passed;
      if (!goOn) throw concludeChain(errors, "nothing");
    }
  } finally {
    deadline.clear();
  }
  throw concludeChain(errors, chain.end);
}

interface Attempt<T> {
  readonly path: string;
  readonly consume: ConsumeBody<T>;
  readonly limit: number;
  readonly maxAge: number | undefined;
  readonly retry: RetryPolicy;
  readonly deadline: Deadline;
}

type Outcome<T> = { readonly value: T } | { readonly verdict: Verdict };

async function tryUpstream<T>(upstream: Upstream, attempt: Attempt<T>): Promise<Outcome<T>> {
  for (let failures = 0; ; ) {
    const outcome = await tryOnce(upstream, attempt);
    if ("value" in outcome || !outcome.verdict.retry) return outcome;
    failures++;
    const pause = pauseBefore(failures, outcome.verdict, attempt.retry);
    if (pause === undefined || !(await attempt.deadline.pause(pause))) return outcome;
  }
}

async function tryOnce<T>(upstream: Upstream, attempt: Attempt<T>): Promise<Outcome<T>> {
  const { deadline } = attempt;
  try {
    deadline.signal.throwIfAborted();
    const { path, limit, maxAge } = attempt;
    const body = await upstream.get(path, { limit, maxAge, signal: deadline.signal });
    return { value: await consumeWhole(body, upstream, attempt.consume) };
  } catch (error) {
    deadline.throwIfCancelled();
    const late = deadline.passed && error === deadline.signal.reason;
    const failure = late ? new UpstreamFailure("timeout", "did not deliver in time") : error;
    const verdict = judgeError(upstream.name, failure);
    if (verdict === undefined) throw error;
    return { verdict };
  }
}

async function consumeWhole<T>(body: UpstreamBody, upstream: Upstream, consume: ConsumeBody<T>): Promise<T> {
  try {
    return await consume(body, upstream);
  } finally {
    await body.chunks[Symbol.asyncIterator]().return?.();
  }
}

/** Milliseconds until the next try after so many failures, or `undefined` for no further one. */
function pauseBefore(failures: number, verdict: Verdict, policy: RetryPolicy): number | undefined {
  if (failures > policy.retries) return undefined;
  const { cause } = verdict.error;
  const asked = cause instanceof UpstreamFailure ? (cause.details?.retryAfter ?? 0) * 1_000 : 0;
  if (asked > policy.patience) return undefined;
  const jittered = policy.pause * 3 ** (failures - 1) * (0.5 + policy.random());
  return Math.max(asked, jittered);
}

/** The caller's signal and the time budget as one signal; they end differently. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #stopTimer: () => void;
  readonly #cancel = () => this.#controller.abort(this.#caller?.reason);
  passed = false;

  constructor({ budget, signal: caller, clock }: ChainOptions) {
    this.#caller = caller;
    this.#clock = clock;
    caller?.addEventListener("abort", this.#cancel, { once: true });
    if (caller?.aborted) this.#cancel();
    this.#stopTimer = budget === undefined ? () => {} : clock.after(budget, () => this.#end());
  }

  #end(): void {
    this.passed = true;
    this.#controller.abort(new ServedError("upstream-timeout", "the upstreams did not deliver in time"));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  throwIfCancelled(): void {
    this.#caller?.throwIfAborted();
  }

  /** Waits; false when the time was over before that. */
  async pause(milliseconds: number): Promise<boolean> {
    try {
      await this.#clock.sleep(milliseconds, this.signal);
      return true;
    } catch {
      this.throwIfCancelled();
      return false;
    }
  }

  clear(): void {
    this.#stopTimer();
    this.#caller?.removeEventListener("abort", this.#cancel);
  }
}
