import { type ModFile, parseLax } from "../../golang/modfile.ts";
import { escapePath } from "../../golang/module.ts";
import { isPseudoVersion } from "../../golang/pseudo.ts";
import { compare } from "../../golang/semver.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import { infoLimit, parseInfo } from "../sources/version-info.ts";
import { highestVersion, latestVersion, mergeLists, versionList } from "../sources/version-list.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { inTime } from "../store/in-time.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { isOutage, ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { VersionIndex } from "../store/version-index.ts";
import type { FileFill } from "./file-fill.ts";
import type { FilledList, ListFill } from "./list-fill.ts";

/** Milliseconds for all of a latest: several misses one after the other must end within the time of one. */
const latestTime = 44_000;

/** Milliseconds for the retractions, which are done without when they do not come. */
const retractionTime = 15_000;

export interface LatestFillParts {
  readonly index: VersionIndex;
  readonly source: ModuleSource;
  readonly lists: ListFill;
  readonly files: Pick<FileFill, "fill">;
  readonly clock: Clock;
  readonly listSeconds: number;
  readonly notFoundSeconds: number;
}

type LatestAnswer = Extract<FillAnswer, { readonly body: Uint8Array }>;

/**
 * Answers `@latest` from the version list and the retractions in the highest version's go.mod, as `go` itself does; an
 * upstream's own `@latest` is asked only for modules without a tagged version.
 */
export class LatestFill {
  readonly #parts: LatestFillParts;
  readonly #missing: NotFoundMemory;
  readonly #flights = new SingleFlight<LatestAnswer>();

  constructor(parts: LatestFillParts) {
    this.#parts = parts;
    this.#missing = new NotFoundMemory(parts);
  }

  /** The `.info` of the latest version, with how long it is good; the last one known when the upstream is down. */
  fill(path: string): Promise<LatestAnswer> {
    return this.#flights.run(path, () => this.#fill(path));
  }

  async #fill(path: string): Promise<LatestAnswer> {
    try {
      return await inTime(this.#find(path), latestTime);
    } catch (error) {
      return this.#fallBack(path, error);
    }
  }

  async #find(path: string): Promise<LatestAnswer> {
    const { index, clock, listSeconds } = this.#parts;
    const { filled, version } = await this.#choose(path);
    const info = await this.#parts.files.fill("info", { path, version });
    const body = info.bytes ?? new Uint8Array();
    if (filled.stale) return { body, stale: true };
    const freshUntil = clock.now() + listSeconds * 1000;
    await index.remember(path, "latest", { text: new TextDecoder().decode(body), freshUntil });
    return { body, freshUntil };
  }

  async #fallBack(path: string, error: unknown): Promise<LatestAnswer> {
    const last = isOutage(error) ? await this.#parts.index.recall(path, "latest") : undefined;
    if (last === undefined) throw error;
    return { body: new TextEncoder().encode(last.text), stale: true };
  }

  async #choose(path: string): Promise<{ readonly filled: FilledList; readonly version: string }> {
    const filled = await this.#candidates(path);
    const highest = highestVersion(filled.list);
    if (highest === undefined) throw new ServedError("not-found", `${path} has no versions`);
    const retractions = await this.#retractions(path, highest);
    const retracted = (version: string) =>
      retractions.some(({ low, high }) => compare(low, version) <= 0 && compare(version, high) <= 0);
    return { filled, version: latestVersion(filled.list, retracted) ?? highest };
  }

  /** The list; where it has nothing tagged, together with the version that the upstream's own `@latest` names. */
  async #candidates(path: string): Promise<FilledList> {
    const filled = await this.#parts.lists.fill(path).catch((error: unknown) => {
      if (error instanceof ServedError && error.code === "not-found") return error;
      throw error;
    });
    if (!(filled instanceof ServedError) && filled.list.tagged.length > 0) return filled;
    const named = await this.#upstreamLatest(path);
    if (named instanceof ServedError) return usable(filled, named);
    const list = versionList([named]);
    if (filled instanceof ServedError) return { list, freshUntil: 0, stale: false };
    return { ...filled, list: mergeLists(filled.list, list) };
  }

  /** The version an upstream's `@latest` names, or why it does not: many upstreams have no `@latest`. */
  async #upstreamLatest(path: string): Promise<string | ServedError> {
    const missing = await this.#missing.recall(path, "missing latest");
    if (missing !== undefined) return missing;
    const version = this.#parts.source.fetch(path, `/${escapePath(path)}/@latest`, {
      limit: infoLimit,
      budget: missTime,
      consume: async (body) => parseInfo(path, await readBody(body)).version,
    });
    return version.catch(async (error: unknown) => {
      if (!(error instanceof ServedError)) throw error;
      await this.#missing.remember(path, "missing latest", error);
      return error;
    });
  }

  /** What the go.mod of the highest version retracts; nothing where it cannot be had. */
  async #retractions(path: string, version: string): Promise<ModFile["retract"]> {
    if (isPseudoVersion(version)) return [];
    try {
      const mod = await inTime(this.#parts.files.fill("mod", { path, version }), retractionTime);
      return parseLax(mod.bytes ?? new Uint8Array()).retract;
    } catch {
      return [];
    }
  }
}

/** The list where `@latest` failed: good as long as it names a version, otherwise the list's own error or `@latest`'s. */
function usable(filled: FilledList | ServedError, latest: ServedError): FilledList {
  if (filled instanceof ServedError) throw latest.code === "not-found" ? filled : latest;
  if (highestVersion(filled.list) === undefined) throw latest;
  return filled;
}
