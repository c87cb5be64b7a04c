import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { stagedPrefix, uploadPrefix } from "../../proxy/store/layout.ts";
import { errno } from "./storage-failure.ts";

const day = 86_400_000;

/** Milliseconds between sweeps of a server that runs for long. */
export const stagedSweepInterval = 3_600_000;

/**
 * Removes staged files and uploads that were written more than a day before `now` (milliseconds since the epoch): nobody goes
 * on with them any more. One that cannot be removed is left for the next sweep.
 */
export async function sweepStagedFiles(data: string, now: number): Promise<void> {
  for (const folder of [stagedPrefix, uploadPrefix].map((prefix) => join(data, "mod", prefix)))
    for (const name of await namesIn(folder)) await sweepFile(join(folder, name), now);
}

async function sweepFile(path: string, now: number): Promise<void> {
  const written = await stat(path).catch(() => undefined);
  if (written !== undefined && written.mtimeMs < now - day) await rm(path, { force: true }).catch(() => {});
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errno(error) === "ENOENT") return [];
    throw error;
  }
}
