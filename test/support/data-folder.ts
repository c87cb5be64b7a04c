import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A new empty folder that is removed with the test. */
export function dataFolder(t: TestContext): string {
  const { path, remove } = makeDataFolder();
  t.after(remove);
  return path;
}

/** A new empty folder, for those who remove it themselves. */
export function makeDataFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "modfront-data-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
