import type { StatementSync } from "node:sqlite";
import { setImmediate as otherWork } from "node:timers/promises";
import type { CataloguedModule, ModuleCatalogue } from "../../proxy/store/module-catalogue.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the catalogue, named so that a test can ask SQLite how it carries them out. */
export const catalogueStatements = {
  // Rows lie in the order of their modules, so that groups come one after another and the walk ends at the limit.
  modules: "SELECT module, count(*) AS versions FROM version WHERE module >= ? GROUP BY module ORDER BY module LIMIT ?",
  versions: "SELECT version FROM version WHERE module = ? LIMIT ?",
} as const;

/** The catalogue in SQLite: the version index, read in the order of its key. */
export class SqliteModuleCatalogue implements ModuleCatalogue {
  readonly #modules: StatementSync;
  readonly #versions: StatementSync;

  constructor({ quick }: IndexDatabase) {
    this.#modules = quick.prepare(catalogueStatements.modules);
    this.#versions = quick.prepare(catalogueStatements.versions);
  }

  /** SQLite answers on the event loop: whoever reads much reads in slices, with everybody else's turn between two. */
  async modules(from: string, limit: number): Promise<readonly CataloguedModule[]> {
    await otherWork();
    return attempt(() => this.#modules.all(from, limit)) as unknown as readonly CataloguedModule[];
  }

  async versions(module: string, limit: number): Promise<readonly string[]> {
    const rows = attempt(() => this.#versions.all(module, limit)) as unknown as readonly { readonly version: string }[];
    return rows.map(({ version }) => version);
  }
}
