import type { Clock } from "../store/clock.ts";
import type { FillRequest } from "../store/fill-plane.ts";
import { missingNames, missingQuery } from "../store/missing-names.ts";
import type { Purges } from "../store/purges.ts";
import { ServedError } from "../store/served-error.ts";
import type { MemoryName } from "../store/version-index.ts";
import type { FollowJob } from "./background-job.ts";
import { fillNewVersions, type NewVersionsParts } from "./new-versions.ts";

export interface FollowParts extends NewVersionsParts {
  readonly clock: Pick<Clock, "now">;
  readonly purges: Purges;
}

/** Versions of a list, the last first, of which it is forgotten that they were asked for before they were there. */
const mostAnnounced = 100;

/**
 * Brings the modules of one repository up to date, which has changed: its refs are listed anew, lists, latest and what was asked
 * of its branches with them; caches forget what is different, and new versions are filled.
 *
 * What fails of one module keeps no other from its turn. Throws the failure that may pass rather than one that is final.
 */
export async function follow(parts: FollowParts, { paths, branches }: Omit<FollowJob, "kind">): Promise<void> {
  const since = parts.clock.now();
  const failures: unknown[] = [];
  for (const path of paths) {
    try {
      await new Following(parts, path, since).run(branches);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures.find((each) => !isFinal(each)) ?? failures[0];
}

function isFinal(error: unknown): boolean {
  return error instanceof ServedError && error.traits.final;
}

/** One module whose repository has changed at some moment. */
class Following {
  readonly #parts: FollowParts;
  readonly #path: string;
  readonly #since: number;

  constructor(parts: FollowParts, path: string, since: number) {
    this.#parts = parts;
    this.#path = path;
    this.#since = since;
  }

  /** Caches forget the list as soon as it is known: a latest may have to wait for the files of a version. */
  async run(branches: readonly string[]): Promise<void> {
    const path = this.#path;
    const list = await this.#renew("list", { kind: "list", path }, (before, now) => this.#announce(before, now));
    await this.#renew("latest", { kind: "latest", path });
    for (const query of branches)
      if (await this.#isAsked(query)) await this.#renew(`query ${query}`, { kind: "query", path, query });
    await fillNewVersions(this.#parts, path, list);
  }

  /** Asks for it anew, and has caches forget it where it is something else now. Throws too where nobody could be asked. */
  async #renew(
    name: MemoryName,
    request: Extract<FillRequest, { readonly kind: "list" | "latest" | "query" }>,
    changed: (before: string, now: string) => Promise<void> = async () => {},
  ): Promise<string> {
    const { fill, index, purges, clock } = this.#parts;
    const path = this.#path;
    const before = (await index.recall(path, name))?.text ?? "";
    const answer = await fill.fill({ ...request, maxAge: Math.max(0, clock.now() - this.#since) });
    if ("stale" in answer && answer.stale)
      throw new ServedError("upstream-failed", "it cannot be asked for at the moment");
    const now = (await index.recall(path, name))?.text ?? "";
    if (now !== before) {
      await changed(before, now);
      await purges.purge(path);
    }
    return "body" in answer ? new TextDecoder().decode(answer.body) : "";
  }

  /** A branch that nobody asked about is none of ours. */
  async #isAsked(query: string): Promise<boolean> {
    const names: readonly MemoryName[] = [`query ${query}`, missingQuery(query)];
    const found = await Promise.all(names.map((name) => this.#parts.index.recall(this.#path, name)));
    return found.some((memory) => memory !== undefined);
  }

  /** Who asked for a version too early was told that there is none, which is remembered for a while. */
  async #announce(before: string, now: string): Promise<void> {
    const { index, clock } = this.#parts;
    const known = new Set(before.split("\n"));
    const versions = now.split("\n").filter((version) => version !== "" && !known.has(version));
    const names = versions.slice(-mostAnnounced).flatMap(missingNames);
    await Promise.all(
      names.map(async (name) => {
        const memory = await index.recall(this.#path, name);
        if (memory !== undefined && memory.freshUntil > clock.now())
          await index.remember(this.#path, name, { ...memory, freshUntil: clock.now() });
      }),
    );
  }
}
