import { escapePath } from "../../golang/module.ts";
import type { VersionGate } from "../policy/both-gates.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import { infoLimit, parseInfo } from "../sources/version-info.ts";
import { versionList } from "../sources/version-list.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { inTime } from "../store/in-time.ts";
import { inTurns } from "../store/in-turns.ts";
import type { ModuleVersion } from "../store/layout.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { isOutage, ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { VersionIndex } from "../store/version-index.ts";
import type { FileFill } from "./file-fill.ts";
import { type FilledList, type ListFill, yankedVersions } from "./list-fill.ts";
import { chooseTag, type TagChoice } from "./tag-choice.ts";

/** Milliseconds for all of a latest: several misses one after the other must end within the time of one. */
const latestTime = 44_000;

/** Milliseconds for a go.mod, which is done without when it does not come. */
const goModTime = 15_000;

export interface LatestFillParts {
  readonly index: VersionIndex;
  readonly source: ModuleSource;
  readonly lists: ListFill;
  readonly files: Pick<FileFill, "fill">;
  readonly clock: Clock;
  readonly gate: VersionGate;
  readonly listSeconds: number;
  readonly notFoundSeconds: number;
}

/** The version, and whether it was chosen out of an old list. */
interface Choice {
  readonly version: string;
  readonly stale: boolean;
}

type LatestAnswer = Extract<FillAnswer, { readonly body: Uint8Array }>;

/**
 * Answers `@latest` from the version list and the retractions in the highest version's go.mod, as `go` itself does; an
 * upstream's own `@latest` is asked only where the list has no tagged version that is not retracted.
 */
export class LatestFill {
  readonly #parts: LatestFillParts;
  readonly #missing: NotFoundMemory;
  readonly #flights = new SingleFlight<LatestAnswer>();

  constructor(parts: LatestFillParts) {
    this.#parts = parts;
    this.#missing = new NotFoundMemory(parts);
  }

  /** The `.info` of the latest version, with how long it is good; the last one known when the upstream is down. `maxAge` is for an upstream that is asked for it. */
  fill(path: string, maxAge?: number): Promise<LatestAnswer> {
    const work = () => this.#fill(path, maxAge);
    return maxAge === undefined ? this.#flights.run(path, work) : this.#flights.runAfter(path, work);
  }

  async #fill(path: string, maxAge: number | undefined): Promise<LatestAnswer> {
    try {
      return await inTime(this.#parts.clock, latestTime, this.#find(path, maxAge));
    } catch (error) {
      return this.#fallBack(path, error);
    }
  }

  async #find(path: string, maxAge: number | undefined): Promise<LatestAnswer> {
    const { index, clock, listSeconds } = this.#parts;
    const { stale, version } = await this.#choose(path, maxAge);
    const info = await this.#parts.files.fill("info", { path, version });
    const body = info.bytes ?? new Uint8Array();
    if (stale) return { body, stale: true };
    const freshUntil = clock.now() + listSeconds * 1000;
    await index.remember(path, "latest", { text: new TextDecoder().decode(body), freshUntil });
    return { body, freshUntil };
  }

  async #fallBack(path: string, error: unknown): Promise<LatestAnswer> {
    const { index, gate } = this.#parts;
    const last = isOutage(error) ? await index.recall(path, "latest") : undefined;
    if (last === undefined) throw error;
    const body = new TextEncoder().encode(last.text);
    if ((await gate.shown(path)) !== undefined) await gate.check({ path, version: parseInfo(path, body).version });
    return { body, stale: true };
  }

  async #choose(path: string, maxAge: number | undefined): Promise<Choice> {
    const filled = await this.#list(path);
    const tagged = filled instanceof ServedError ? [] : filled.list.tagged;
    const tags = await chooseTag(path, tagged, (version) => this.#goMod({ path, version }));
    if (filled instanceof ServedError || tags.latest === undefined)
      return this.#chooseUntagged(path, filled, tags, maxAge);
    return { stale: filled.stale, version: tags.latest };
  }

  #list(path: string): Promise<FilledList | ServedError> {
    return this.#parts.lists.fill(path).catch((error: unknown) => {
      if (error instanceof ServedError && error.code === "not-found") return error;
      throw error;
    });
  }

  /** Where no tag is left: what an upstream's own `@latest` names, or the newest pseudo-version of the list. */
  async #chooseUntagged(
    path: string,
    filled: FilledList | ServedError,
    tags: TagChoice,
    maxAge: number | undefined,
  ): Promise<Choice> {
    const named = await this.#upstreamLatest(path, maxAge);
    const { list, stale = false } = filled instanceof ServedError ? {} : filled;
    const yanked = yankedVersions(await this.#parts.index.module(path));
    const isShown = await this.#parts.gate.shown(path);
    const known = [list?.newestPseudo, named].filter((version) => typeof version === "string");
    const versions = known.filter((version) => !yanked.has(version));
    const shown = versions.filter((version) => isShown?.(version) ?? true);
    const usable = await inTurns(versionList(shown.filter((version) => !tags.isRetracted(version))));
    const version = usable.tagged.at(-1) ?? usable.newestPseudo;
    if (version !== undefined) return { stale, version };
    const refused = list?.hidden ?? versions.find((each) => !shown.includes(each));
    if (refused !== undefined) await this.#parts.gate.check({ path, version: refused });
    if (yanked.size > 0 && !isOutage(named))
      throw new ServedError(
        "forbidden",
        "each version of it that could be the latest is yanked: ask for one by its number",
      );
    // Everything is retracted, and `go` says so itself; but while the upstream is down nobody knows.
    if (tags.highest !== undefined && !isOutage(named)) return { stale, version: tags.highest };
    throw filled instanceof ServedError && !(named instanceof ServedError && named.code !== "not-found")
      ? filled
      : named;
  }

  /** The version an upstream's `@latest` names, or why it does not: many upstreams have no `@latest`. */
  async #upstreamLatest(path: string, maxAge: number | undefined): Promise<string | ServedError> {
    const missing = maxAge === undefined ? await this.#missing.recall(path, "missing latest") : undefined;
    if (missing !== undefined) return missing;
    const version = this.#parts.source.fetch(path, `/${escapePath(path)}/@latest`, {
      limit: infoLimit,
      budget: missTime,
      maxAge,
      consume: async (body) => parseInfo(path, await readBody(body)).version,
    });
    return version.catch(async (error: unknown) => {
      if (!(error instanceof ServedError)) throw error;
      await this.#missing.remember(path, "missing latest", error);
      return error;
    });
  }

  async #goMod(module: ModuleVersion): Promise<Uint8Array | undefined> {
    try {
      return (await inTime(this.#parts.clock, goModTime, this.#parts.files.fill("mod", module))).bytes;
    } catch {
      return undefined;
    }
  }
}
