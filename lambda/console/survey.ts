import { sort } from "../golang/semver.ts";
import type { CataloguedModule, ModuleCatalogue } from "../proxy/store/module-catalogue.ts";

export interface SurveyQuestion {
  /** A piece of a module path in any case, or the beginning of one; empty for all modules. */
  readonly query: string;
  /** True for modules that whoever asks may see; the others are neither named nor counted. */
  readonly mayRead: (module: string) => boolean;
}

/** What a survey costs at most, however much is stored. */
export interface SurveyLimits {
  /** Modules named. */
  readonly named: number;
  /** Modules looked at. */
  readonly walked: number;
  /** Modules read at once: other requests are served between two reads. */
  readonly slice: number;
  /** Versions read of each module that is named; of one with more than that, none is. */
  readonly versions: number;
}

const surveyLimits: SurveyLimits = { named: 200, walked: 20_000, slice: 500, versions: 50 };

export interface SurveyedModule extends CataloguedModule {
  /** The newest stored versions, the newest first; none where there are too many to sort. */
  readonly newest: readonly string[];
}

export interface Survey {
  /** Of everything stored that may be seen and was looked at. */
  readonly modules: number;
  readonly versions: number;
  /** Modules that match the query among those looked at. */
  readonly matching: number;
  readonly named: readonly SurveyedModule[];
  /** False when there is more than was looked at: then the numbers are what there is at least. */
  readonly complete: boolean;
}

/**
 * Counts what is stored and names the modules that match.
 *
 * Beyond `limits.walked` modules only those whose path begins with the query are found: they lie side by side in the
 * index, so that finding them does not depend on how many there are.
 */
export async function surveyModules(
  catalogue: ModuleCatalogue,
  { query, mayRead }: SurveyQuestion,
  limits: SurveyLimits = surveyLimits,
): Promise<Survey> {
  const wanted = query.toLowerCase();
  const found = new Map<string, CataloguedModule>();
  let [modules, versions, matching, walked] = [0, 0, 0, 0];
  let from: string | undefined = "";
  while (from !== undefined && walked < limits.walked) {
    const slice: readonly CataloguedModule[] = await catalogue.modules(from, limits.slice);
    walked += slice.length;
    for (const each of slice) {
      if (!mayRead(each.module)) continue;
      modules++;
      versions += each.versions;
      if (!each.module.toLowerCase().includes(wanted)) continue;
      matching++;
      if (found.size < limits.named) found.set(each.module, each);
    }
    from = next(slice, limits.slice);
  }
  const complete = from === undefined;
  if (!complete && query !== "") await findBeginning(catalogue, { query, mayRead }, limits, found);
  const named = await Promise.all([...found.values()].map((each) => describe(catalogue, each, limits.versions)));
  return { modules, versions, matching: Math.max(matching, found.size), named, complete };
}

/** The first path that can come after a full slice: no string lies between one and the same with a zero byte. */
function next(slice: readonly CataloguedModule[], limit: number): string | undefined {
  const last = slice.length < limit ? undefined : slice.at(-1);
  return last && `${last.module}\0`;
}

async function findBeginning(
  catalogue: ModuleCatalogue,
  { query, mayRead }: SurveyQuestion,
  { named, slice }: SurveyLimits,
  found: Map<string, CataloguedModule>,
): Promise<void> {
  for (const each of await catalogue.modules(query, slice)) {
    if (!each.module.startsWith(query) || found.size >= named) return;
    if (mayRead(each.module)) found.set(each.module, each);
  }
}

/** How many versions are named of each module. */
const newestCount = 3;

async function describe(
  catalogue: ModuleCatalogue,
  { module, versions }: CataloguedModule,
  limit: number,
): Promise<SurveyedModule> {
  if (versions > limit) return { module, versions, newest: [] };
  const stored = sort([...(await catalogue.versions(module, limit))]);
  return { module, versions, newest: stored.reverse().slice(0, newestCount) };
}
