import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type UpstreamBody, UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { RawAnswer } from "./exchange.ts";
import { toUpstreamFailure } from "./http-failure.ts";

export interface BodyOptions {
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  /** Called once: the body is over, read to its end or not. */
  readonly onEnd: () => void;
}

/**
 * Turns a 200 into a body that cannot be mistaken for a complete one: counted, limited, cut off with an error.
 *
 * An encoding that nobody asked for is undone, within the limit: proxies on the way add it. Throws `UpstreamFailure`
 * "too-large" for a declared length above the limit and "bad-answer" for one that cannot be read: encoded in an unknown
 * way, or ended by closing the connection, where a cut is not to be told from the end.
 */
export function readBody(answer: RawAnswer, options: BodyOptions): UpstreamBody {
  answer.body.on("error", () => {});
  try {
    const { length, decoder } = checkHeaders(answer, options.limit);
    if (decoder === undefined) return { chunks: new BodyChunks(answer.body, length, options), length };
    // The length is that of the encoded bytes, which node's parser holds to it.
    const plain = pipeline(answer.body, decoder(), () => {});
    return { chunks: new BodyChunks(plain, undefined, options), length: undefined };
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
}

const decoders: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

interface BodyFraming {
  readonly length: number | undefined;
  readonly decoder: (typeof decoders)[string] | undefined;
}

function checkHeaders({ headers }: RawAnswer, limit: number): BodyFraming {
  const encoding = joined(headers["content-encoding"]) || "identity";
  const transfer = joined(headers["transfer-encoding"]);
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if ((encoding !== "identity" && decoder === undefined) || (transfer !== "" && transfer !== "chunked")) {
    throw new UpstreamFailure("bad-answer", "encoded its answer in a way that was not asked for");
  }
  const length = declaredLength(headers["content-length"]);
  if (length === undefined && transfer === "") {
    throw new UpstreamFailure("bad-answer", "sent an answer with neither a length nor chunks, which may be cut off");
  }
  if (length !== undefined && length > limit) throw tooLarge(limit);
  return { length, decoder };
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
  readonly #body: Readable;
  readonly #source: AsyncIterator<Buffer>;
  readonly #length: number | undefined;
  readonly #options: BodyOptions;
  #bytes = 0;

  constructor(body: Readable, length: number | undefined, options: BodyOptions) {
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
    this.#body.destroy();
    this.#options.onEnd();
    return { done: true, value: undefined };
  }

  #end(): IteratorResult<Uint8Array> {
    if (this.#length !== undefined && this.#bytes !== this.#length) {
      throw new UpstreamFailure("unreachable", "sent less or more than it declared");
    }
    this.#options.onEnd();
    return { done: true, value: undefined };
  }

  #fail(error: unknown): unknown {
    const { signal, onEnd } = this.#options;
    this.#body.destroy();
    onEnd();
    return signal?.aborted ? signal.reason : toUpstreamFailure(error);
  }
}
