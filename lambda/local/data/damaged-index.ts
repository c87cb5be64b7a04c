import { link, open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Failpoint } from "./failpoints.ts";
import { indexFile } from "./index-database.ts";
import { errno } from "./storage-failure.ts";

/**
 * Puts a complete index in the place of the damaged one, which keeps its bytes under another name.
 *
 * There is an index at every moment. The damaged one's write-ahead log goes before the new one comes: SQLite would
 * apply it to whatever file bears the name.
 */
export async function replaceDamaged(data: string, rebuilt: string, failpoint: Failpoint): Promise<string> {
  const path = join(data, indexFile);
  const aside = await linkAside(data);
  for (const suffix of ["-wal", "-shm"]) await renameIfThere(path + suffix, join(data, aside) + suffix);
  failpoint("reindex.aside");
  await rename(rebuilt, path);
  await using folder = await open(data, "r");
  await folder.sync();
  failpoint("reindex.replaced");
  return aside;
}

async function linkAside(data: string): Promise<string> {
  for (let n = 1; ; n++) {
    try {
      const name = `${indexFile}.damaged-${n}`;
      await link(join(data, indexFile), join(data, name));
      return name;
    } catch (error) {
      if (errno(error) !== "EEXIST") throw error;
    }
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
  }
}
