import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { makeDataFolder } from "./data-folder.ts";

/** A disk of so many bytes, until the test ends; where mounting is not allowed the test is skipped: `undefined`. */
export function smallDisk(t: TestContext, bytes: number): string | undefined {
  return mounted(t, (at) => mount(["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", at]));
}

/** A folder seen a second time, read-only: unlike file modes that holds for root too. Skips like `smallDisk`. */
export function readOnlyView(t: TestContext, folder: string): string | undefined {
  return mounted(t, (at) => mount(["--bind", folder, at]) && mount(["-o", "remount,bind,ro", at]));
}

function mounted(t: TestContext, mountAt: (path: string) => boolean): string | undefined {
  const { path, remove } = makeDataFolder();
  const done = mountAt(path);
  t.after(() => {
    // Lazily, for what is still open, and first: otherwise the folder's removal would empty what is mounted there.
    if (spawnSync("mountpoint", ["-q", path]).status === 0) spawnSync("umount", ["-l", path]);
    remove();
  });
  if (!done) t.skip("mounting is not allowed here: there is no full or read-only disk to test with");
  return done ? path : undefined;
}

function mount(args: readonly string[]): boolean {
  return spawnSync("mount", args).status === 0;
}
