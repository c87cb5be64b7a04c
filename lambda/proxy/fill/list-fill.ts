import { escapePath } from "../../golang/module.ts";
import type { PolicyGate } from "../policy/policy-gate.ts";
import { shownList } from "../policy/shown-list.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import {
  formatRemembered,
  listLimit,
  mergeLists,
  parseList,
  parseRemembered,
  type VersionList,
  versionList,
} from "../sources/version-list.ts";
import type { Clock } from "../store/clock.ts";
import { inTurns } from "../store/in-turns.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { ModuleEntry, VersionIndex } from "../store/version-index.ts";

export interface ListFillParts {
  readonly index: VersionIndex;
  readonly source: ModuleSource;
  readonly clock: Pick<Clock, "now">;
  readonly gate: Pick<PolicyGate, "shown">;
  readonly listSeconds: number;
  readonly notFoundSeconds: number;
}

/** A module's versions; `freshUntil` in milliseconds since the epoch, `stale` when the upstream could not be asked. */
export interface FilledList {
  readonly list: VersionList;
  readonly freshUntil: number;
  readonly stale: boolean;
}

/** Keeps the version lists of modules: asks the upstream when the remembered list is no longer fresh. */
export class ListFill {
  readonly #parts: ListFillParts;
  readonly #missing: NotFoundMemory;
  readonly #flights = new SingleFlight<FilledList>();

  constructor(parts: ListFillParts) {
    this.#parts = parts;
    this.#missing = new NotFoundMemory(parts);
  }

  /**
   * The list as the upstream has it now; what is known and stored when it cannot say. With `maxAge` it is asked, whatever is
   * remembered, once what is asked at the moment has been answered and remembered.
   */
  fill(path: string, maxAge?: number): Promise<FilledList> {
    if (maxAge !== undefined)
      return this.#flights.runAfter(path, async () =>
        this.#refresh(path, await this.#parts.index.module(path), maxAge),
      );
    return this.#flights.run(path, async () => {
      const entry = await this.#parts.index.module(path);
      return (await freshList(entry, this.#parts.clock.now())) ?? (await this.#refresh(path, entry));
    });
  }

  async #refresh(path: string, entry: ModuleEntry, maxAge?: number): Promise<FilledList> {
    try {
      const list = await this.#shown(path, await this.#obtain(path, entry, maxAge));
      const freshUntil = this.#parts.clock.now() + this.#parts.listSeconds * 1000;
      await this.#parts.index.remember(path, "list", { text: formatRemembered(list), freshUntil });
      return { list, freshUntil, stale: false };
    } catch (error) {
      return this.#fallBack(path, entry, error);
    }
  }

  /** Where there is nobody to ask, what is known is all there is. */
  async #obtain(path: string, entry: ModuleEntry, maxAge: number | undefined): Promise<VersionList> {
    const known = this.#parts.source.hasUpstream(path) ? undefined : await knownList(entry);
    if (known !== undefined) return known;
    if (maxAge === undefined) await this.#missing.refuse(path, "missing list");
    return await visible(await this.#ask(path, maxAge), entry);
  }

  async #shown(path: string, list: VersionList): Promise<VersionList> {
    return shownList(list, await this.#parts.gate.shown(path));
  }

  #ask(path: string, maxAge: number | undefined): Promise<VersionList> {
    return this.#parts.source.fetch(path, `/${escapePath(path)}/@v/list`, {
      limit: listLimit,
      budget: missTime,
      maxAge,
      consume: async (body) => inTurns(parseList(path, new TextDecoder().decode(await readBody(body)))),
    });
  }

  /** A module of which something is stored stays listed, also when the upstream has forgotten or refuses it. */
  async #fallBack(path: string, entry: ModuleEntry, error: unknown): Promise<FilledList> {
    if (!(error instanceof ServedError) || error.traits.instead === "nothing") throw error;
    const known = await knownList(entry);
    if (known !== undefined) return { list: await this.#shown(path, known), freshUntil: 0, stale: true };
    await this.#missing.remember(path, "missing list", error);
    throw error;
  }
}

/** The remembered list while it is fresh. */
async function freshList(entry: ModuleEntry, now: number): Promise<FilledList | undefined> {
  if (entry.list === undefined || entry.list.freshUntil <= now) return undefined;
  const list = await inTurns(parseRemembered(entry.list.text));
  return { list, freshUntil: entry.list.freshUntil, stale: false };
}

/** The last list known and everything stored; `undefined` when that is nothing. */
async function knownList(entry: ModuleEntry): Promise<VersionList | undefined> {
  if (entry.list === undefined && entry.versions.length === 0) return undefined;
  const remembered = await inTurns(parseRemembered(entry.list?.text ?? ""));
  const stored = await inTurns(versionList(entry.versions.map(({ version }) => version)));
  return await withoutYanked(await inTurns(mergeLists(remembered, stored)), entry);
}

/** What an upstream lists, with what was published here and without what was yanked. */
async function visible(list: VersionList, entry: ModuleEntry): Promise<VersionList> {
  const published = entry.versions.filter(({ flags }) => flags.includes("published")).map(({ version }) => version);
  const all = published.length === 0 ? list : await inTurns(mergeLists(list, await inTurns(versionList(published))));
  return await withoutYanked(all, entry);
}

async function withoutYanked(list: VersionList, entry: ModuleEntry): Promise<VersionList> {
  const yanked = yankedVersions(entry);
  if (yanked.size === 0) return list;
  const { tagged, newestPseudo } = list;
  const versions = newestPseudo === undefined ? tagged : [...tagged, newestPseudo];
  return await inTurns(versionList(versions.filter((version) => !yanked.has(version))));
}

/** The versions that are hidden, whoever else knows them. */
export function yankedVersions({ versions }: ModuleEntry): ReadonlySet<string> {
  return new Set(versions.filter(({ flags }) => flags.includes("yanked")).map(({ version }) => version));
}
