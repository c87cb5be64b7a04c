import { escapePath, escapeVersion } from "../../golang/module.ts";
import type { PolicyGate } from "../policy/policy-gate.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import { formatInfo, infoLimit, parseInfo } from "../sources/version-info.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { missingQuery } from "../store/missing-names.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { isOutage } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { Remembered, VersionIndex } from "../store/version-index.ts";
import type { LatestFill } from "./latest-fill.ts";

export interface QueryFillParts {
  readonly index: VersionIndex;
  readonly source: ModuleSource;
  readonly clock: Pick<Clock, "now">;
  readonly gate: Pick<PolicyGate, "refusal">;
  readonly latest: Pick<LatestFill, "fill">;
  readonly querySeconds: number;
  readonly notFoundSeconds: number;
}

type InfoAnswer = Extract<FillAnswer, { readonly body: Uint8Array }>;

/** What `go` takes for the hash of a commit, which no other version can stand for. */
const commit = /^[0-9a-f]{7,40}$/;

/**
 * Resolves queries (branches, commit prefixes, `v1`, `upgrade`) by asking the upstream; answers are never files. Where the
 * policy refuses what a branch means, the newest version that it lets in is meant.
 */
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
      if (last !== undefined && isOutage(error)) return this.#allowed(path, query, { ...answer(last), stale: true });
      await this.#missing.remember(path, missingQuery(query), error);
      throw error;
    }
  }

  async #ask(path: string, query: string, maxAge: number | undefined): Promise<InfoAnswer> {
    const { source, index, clock, querySeconds } = this.#parts;
    const body = await source.fetch(path, `/${escapePath(path)}/@v/${escapeVersion(query)}.info`, {
      limit: infoLimit,
      budget: missTime,
      maxAge,
      consume: async (received) => formatInfo(parseInfo(path, await readBody(received))),
    });
    const freshUntil = clock.now() + querySeconds * 1000;
    const allowed = await this.#allowed(path, query, { body, freshUntil });
    await index.remember(path, `query ${query}`, { text: new TextDecoder().decode(allowed.body), freshUntil });
    return allowed;
  }

  async #allowed(path: string, query: string, meant: InfoAnswer): Promise<InfoAnswer> {
    const { version } = parseInfo(path, meant.body);
    const refusal = await this.#parts.gate.refusal({ path, version });
    if (refusal === undefined) return meant;
    if (commit.test(query)) throw refusal;
    return this.#parts.latest.fill(path).catch(() => {
      throw refusal;
    });
  }
}

function answer(memory: Remembered): InfoAnswer {
  return { body: new TextEncoder().encode(memory.text), freshUntil: memory.freshUntil };
}
