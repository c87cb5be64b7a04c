import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { makeDataFolder } from "./data-folder.ts";

const folder = makeDataFolder();
after(folder.remove);

let count = 0;

/** Writes the bytes to a new temporary file, removed when the test file ends, and returns its path. */
export function temporaryFile(bytes: Uint8Array): string {
  const path = join(folder.path, `${count++}.zip`);
  writeFileSync(path, bytes);
  return path;
}
