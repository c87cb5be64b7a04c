import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Containers that share a data folder have process numbers of their own: a number means something on one host only. */
const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** Tells this process from an earlier one with its number: in a container each start is process 1. */
const self = randomBytes(6).toString("hex");

const day = 86_400_000;

let count = 0;

/** A name for a temporary file or folder in `<data>/tmp` that no other process uses, and that a later start sweeps. */
export function temporaryName(): string {
  count++;
  return `${host}-${process.pid}-${self}-${count}`;
}

/**
 * Removes what dead processes left in `folder`. Names that `temporaryName` did not make are left alone; those of other
 * hosts, whose processes cannot be seen, go when they were not touched for a day before `now`.
 */
export async function sweepTemporaryFiles(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // A leftover that cannot be removed is no reason not to start.
    if (await isLeftover(path, name, now)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isLeftover(path: string, name: string, now: number): Promise<boolean> {
  const [, fileHost, pid, token] = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9a-f]{12})-[0-9]+$/.exec(name) ?? [];
  if (fileHost === undefined || token === self) return false;
  if (fileHost === host && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true;
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < now - day;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
