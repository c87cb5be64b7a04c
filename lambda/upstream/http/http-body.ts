import { type UpstreamBody, UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { BreakerPass } from "./breaker.ts";
import type { RawAnswer } from "./exchange.ts";
import { toUpstreamFailure } from "./http-failure.ts";

export interface BodyOptions {
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly pass: BreakerPass;
}

/**
 * Turns a 200 into a body that cannot be mistaken for a complete one: counted, limited, cut off with an error.
 *
 * Throws `UpstreamFailure` "too-large" for a declared length above the limit and "bad-answer" for one that cannot be
 * read: encoded, or ended by closing the connection, where a cut is not to be told from the end.
 */
export function readBody(answer: RawAnswer, options: BodyOptions): UpstreamBody {
  answer.body.on("error", () => {});
  try {
    const length = checkHeaders(answer, options.limit);
    return { chunks: new BodyChunks(answer.body, length, options), length };
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
}

function checkHeaders({ headers }: RawAnswer, limit: number): number | undefined {
  const encoding = joined(headers["content-encoding"]) || "identity";
  const transfer = joined(headers["transfer-encoding"]);
  if (encoding !== "identity" || (transfer !== "" && transfer !== "chunked")) {
    throw new UpstreamFailure("bad-answer", "compressed an answer that must not be");
  }
  const length = declaredLength(headers["content-length"]);
  if (length === undefined && transfer === "") {
    throw new UpstreamFailure("bad-answer", "sent an answer with neither a length nor chunks, which may be cut off");
  }
  if (length !== undefined && length > limit) throw tooLarge(limit);
  return length;
}

function joined(values: readonly string[] = []): string {
  return values.join().toLowerCase();
}

function declaredLength(values: readonly string[] | undefined): number | undefined {
  if (values === undefined) return undefined;
  const [value = "", ...more] = values;
  if (more.length > 0 || !/^\d{1,15}$/.test(value)) {
    throw new UpstreamFailure("bad-answer", "declared a length that is not a number");
  }
  return Number(value);
}

function tooLarge(limit: number): UpstreamFailure {
  return new UpstreamFailure("too-large", `sent more than ${limit} bytes`);
}

/** Written as a class and not as a generator, because `return` of a generator that never ran cleans nothing up. */
class BodyChunks implements AsyncIterableIterator<Uint8Array> {
  readonly #body: RawAnswer["body"];
  readonly #source: AsyncIterator<Buffer>;
  readonly #length: number | undefined;
  readonly #options: BodyOptions;
  #bytes = 0;

  constructor(body: RawAnswer["body"], length: number | undefined, options: BodyOptions) {
    this.#body = body;
    this.#source = body[Symbol.asyncIterator]();
    this.#length = length;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const next = await this.#source.next();
      if (next.done) return this.#end();
      this.#bytes += next.value.length;
      if (this.#bytes > this.#options.limit) throw tooLarge(this.#options.limit);
      return next;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#options.pass.settle("succeeded");
    this.#body.destroy();
    return { done: true, value: undefined };
  }

  #end(): IteratorResult<Uint8Array> {
    if (this.#length !== undefined && this.#bytes !== this.#length) {
      throw new UpstreamFailure("unreachable", "sent less or more than it declared");
    }
    this.#options.pass.settle("succeeded");
    return { done: true, value: undefined };
  }

  #fail(error: unknown): unknown {
    const { signal, pass } = this.#options;
    this.#body.destroy();
    if (signal?.aborted) {
      pass.settle("abandoned");
      return signal.reason;
    }
    const failure = toUpstreamFailure(error);
    pass.settle(failure.code === "unreachable" || failure.code === "timeout" ? "failed" : "succeeded");
    return failure;
  }
}
