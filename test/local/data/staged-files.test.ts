import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { sweepStagedFiles } from "../../../lambda/local/data/staged-files.ts";
import { stagedKey } from "../../../lambda/proxy/store/layout.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { storedKeys } from "../../support/product.ts";

const day = 86_400_000;

test("staged files go when they are older than a day, and no other file ever", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  await sweepStagedFiles(data, Number.MAX_SAFE_INTEGER);
  const staged = stagedKey("ab".repeat(32));
  const kept = ["-/bundles/b", "a.example/x/@v/v1.0.0.mod"];
  for (const key of [staged, ...kept]) await store.create(key, Buffer.from(key));
  const written = statSync(join(data, "mod", staged)).mtimeMs;
  await sweepStagedFiles(data, written + day);
  assert.deepEqual(storedKeys(data), [staged, ...kept].toSorted());
  await sweepStagedFiles(data, written + day + 1);
  assert.deepEqual(storedKeys(data), kept);
});
