import { closeSync, fsync, openSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";

// Opening, linking and small reads and writes end in the system's memory after 2 to 20 µs of CPU, and a hand-over to
// another thread and back costs 50 to 100 µs of it: so these are synchronous, as SQLite's calls in this process are.
// What waits for the disk itself, or moves much, is left to other threads.

/** Bytes that are read or written in one synchronous call: a copy of 1 MiB in memory takes about 0.2 ms. */
export const mostAtOnce = 1 << 20;

/** Makes a file that must not be there yet, and waits until its bytes are on the disk. `mode` is less the process's mask. */
export async function writeDurable(path: string, bytes: Uint8Array, mode = 0o666): Promise<void> {
  const file = openSync(path, "wx", mode);
  try {
    if (bytes.length > mostAtOnce) await writeLarge(path, bytes);
    else for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    await reachDisk(file);
  } finally {
    closeSync(file);
  }
}

async function writeLarge(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "r+");
  await file.writeFile(bytes);
}

/** Waits until a file's bytes, or a folder's names, are on the disk. */
export async function sync(path: string): Promise<void> {
  const file = openSync(path, "r");
  try {
    await reachDisk(file);
  } finally {
    closeSync(file);
  }
}

/** With a callback: `FileHandle` has two hand-overs more, to open and to close. */
function reachDisk(file: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));
}
