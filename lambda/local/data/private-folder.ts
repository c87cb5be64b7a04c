import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { auditFile } from "./audit-database.ts";
import { indexFile } from "./index-database.ts";
import { logKeyFile } from "./log-key-file.ts";

/** Bits of a mode: what others than the owner may, and the one of a folder like /tmp, which is everybody's on purpose. */
const ofOthers = 0o077;
const sticky = 0o1000;

/**
 * Closes a data folder to others than its owner (0700), for private modules lie in it; made so where it is missing.
 *
 * A folder that was there is closed only if it is ours and holds nothing but a data folder does: `--data .` must not close
 * somebody's home. Returns true when it was open before.
 */
export async function closeDataFolder(data: string): Promise<boolean> {
  const made = await mkdir(data, { mode: 0o700 }).then(
    () => true,
    () => false,
  );
  const info = made ? undefined : await stat(data).catch(() => undefined);
  if (info === undefined || (info.mode & ofOthers) === 0 || (info.mode & sticky) !== 0) return false;
  if (info.uid !== process.getuid?.() || !(await isDataFolder(data))) return false;
  await chmod(data, 0o700);
  return true;
}

async function isDataFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  const own = (name: string) =>
    ["mod", "tmp", logKeyFile].includes(name) ||
    /^(?:access\.json|tokens\.sqlite)/.test(name) ||
    name.startsWith(indexFile) ||
    name.startsWith(auditFile);
  return names.every(own);
}
