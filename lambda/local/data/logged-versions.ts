import { setImmediate as otherWork } from "node:timers/promises";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statement, so that a test can ask SQLite how it is carried out. */
export const versionsAfterStatement = `
  SELECT module AS path, version FROM (
    SELECT * FROM (SELECT module, version FROM version WHERE (module, version) > (:path, :version)
      ORDER BY module, version LIMIT :limit)
    UNION SELECT * FROM (SELECT module, version FROM claim WHERE (module, version) > (:path, :version)
      ORDER BY module, version LIMIT :limit)
  ) ORDER BY module, version LIMIT :limit`;

/** Returns what reads the versions that are stored or claimed, in pages, in the order of their keys. */
export function versionPages(database: IndexDatabase) {
  const page = attempt(() => database.quick.prepare(versionsAfterStatement));
  return async (after: ModuleVersion | undefined, limit: number): Promise<readonly ModuleVersion[]> => {
    await otherWork();
    const { path, version } = after ?? { path: "", version: "" };
    return attempt(() => page.all({ path, version, limit })) as unknown as readonly ModuleVersion[];
  };
}
