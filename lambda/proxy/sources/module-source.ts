import type { Clock } from "../store/clock.ts";
import type { UpstreamBody, UpstreamRouter } from "./upstream.ts";
import { fetchFromChain } from "./upstream-chain.ts";

/** Milliseconds within which a miss of info, mod, list and latest ends (docs/protocol.md "Upstreams"). */
export const missTime = 45_000;

/** Where a module's files come from: the chain of upstreams that the configuration names for its path. */
export interface ModuleSource {
  /**
   * GETs `path` (escaped, beginning with "/") for the module from its chain until one upstream gives an answer that
   * `consume` accepts, and returns what `consume` made of it. Gives up after `budget` milliseconds.
   *
   * `consume` may run more than once (retries, next upstream) and must leave nothing behind when it throws. Throws
   * `ServedError` by the table of docs/protocol.md "Answers".
   */
  fetch<T>(module: string, path: string, options: FetchOptions<T>): Promise<T>;

  /** True for module paths that the configuration calls private. */
  isPrivate(module: string): boolean;

  /** False for a module that nobody would be asked for, so that only what was published of it is there. */
  hasUpstream(module: string): boolean;
}

export interface FetchOptions<T> {
  readonly limit: number;
  readonly budget: number;
  readonly consume: (body: UpstreamBody) => Promise<T>;
  /** Milliseconds: what an upstream was told longer ago is not good (`Upstream.get`). */
  readonly maxAge?: number | undefined;
}

/** All of a body as one array. `limit` of the fetch bounds it. */
export async function readBody(body: UpstreamBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** The source that follows the configuration's chains. */
export class ChainModuleSource implements ModuleSource {
  readonly #router: UpstreamRouter;
  readonly #clock: Clock;

  constructor(router: UpstreamRouter, clock: Clock) {
    this.#router = router;
    this.#clock = clock;
  }

  fetch<T>(module: string, path: string, { consume, ...options }: FetchOptions<T>): Promise<T> {
    return fetchFromChain(this.#router.chainFor(module), path, consume, { ...options, clock: this.#clock });
  }

  isPrivate(module: string): boolean {
    return this.#router.isPrivate(module);
  }

  hasUpstream(module: string): boolean {
    return this.#router.chainFor(module).steps.length > 0;
  }
}
