import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../lambda/config/config.ts";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import type { IndexDatabase } from "../../lambda/local/data/index-database.ts";
import { openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { type OpenedLog, openOwnLog } from "../../lambda/local/data/opened-log.ts";

/** Returns what opens the log of a data folder over the rows of an index. */
export async function logOpener(
  data: string,
  { log }: Pick<Config, "log">,
): Promise<(database: IndexDatabase) => OpenedLog> {
  const [key, files] = [await openLogKey(data), await DirectoryModuleStore.open(data, 0)];
  const clock = { sleep: (milliseconds: number) => sleep(milliseconds) };
  return (database) => openOwnLog({ database, files, key, name: log.name, clock });
}
