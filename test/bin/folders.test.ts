import assert from "node:assert/strict";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";

for (const args of [["reindex"], ["token", "create", "--subject", "a"]]) {
  test(`what ${args[0]} makes in a data folder is its owner's alone`, {
    skip: process.platform === "win32",
  }, async (t) => {
    const data = join(dataFolder(t), "new");
    assert.equal((await runCli([...args, "--data", data])).code, 0);
    const made = ["", ...globSync("**", { cwd: data })].filter(
      (name) => (statSync(join(data, name)).mode & 0o077) !== 0,
    );
    assert.deepEqual(made, []);
  });
}
