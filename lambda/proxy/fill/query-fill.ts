import { escapePath, escapeVersion } from "../../golang/module.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import { formatInfo, infoLimit, parseInfo } from "../sources/version-info.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { isOutage } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { MemoryName, Remembered, VersionIndex } from "../store/version-index.ts";

export interface QueryFillParts {
  readonly index: VersionIndex;
  readonly source: ModuleSource;
  readonly clock: Pick<Clock, "now">;
  readonly querySeconds: number;
  readonly notFoundSeconds: number;
}

/** Resolves queries (branches, commit prefixes, `v1`, `upgrade`) by asking the upstream; answers are never files. */
export class QueryFill {
  readonly #parts: QueryFillParts;
  readonly #missing: NotFoundMemory;
  readonly #flights = new SingleFlight<FillAnswer>();

  constructor(parts: QueryFillParts) {
    this.#parts = parts;
    this.#missing = new NotFoundMemory(parts);
  }

  /** The `.info` of the version the query means now, or meant when the upstream last answered; with `maxAge` it is asked. */
  fill(path: string, query: string, maxAge?: number): Promise<FillAnswer> {
    const key = `${path}@${query}`;
    const work = () => this.#fill(path, query, maxAge);
    return maxAge === undefined ? this.#flights.run(key, work) : this.#flights.runAfter(key, work);
  }

  async #fill(path: string, query: string, maxAge: number | undefined): Promise<FillAnswer> {
    const { index, clock } = this.#parts;
    const last = await index.recall(path, `query ${query}`);
    if (maxAge === undefined) {
      if (last !== undefined && last.freshUntil > clock.now()) return answer(last);
      await this.#missing.refuse(path, missingQuery(query));
    }
    try {
      return await this.#ask(path, query, maxAge);
    } catch (error) {
      if (last !== undefined && isOutage(error)) return { ...answer(last), stale: true };
      await this.#missing.remember(path, missingQuery(query), error);
      throw error;
    }
  }

  async #ask(path: string, query: string, maxAge: number | undefined): Promise<FillAnswer> {
    const { source, index, clock, querySeconds } = this.#parts;
    const body = await source.fetch(path, `/${escapePath(path)}/@v/${escapeVersion(query)}.info`, {
      limit: infoLimit,
      budget: missTime,
      maxAge,
      consume: async (received) => formatInfo(parseInfo(path, await readBody(received))),
    });
    const freshUntil = clock.now() + querySeconds * 1000;
    await index.remember(path, `query ${query}`, { text: new TextDecoder().decode(body), freshUntil });
    return { body, freshUntil };
  }
}

/** Apart from the names for files: `/@v/v1.0.0.zip.info` asks for a query that is called like the zip of v1.0.0. */
function missingQuery(query: string): MemoryName {
  return `missing query ${query}`;
}

function answer(memory: Remembered): Extract<FillAnswer, { readonly body: Uint8Array }> {
  return { body: new TextEncoder().encode(memory.text), freshUntil: memory.freshUntil };
}
