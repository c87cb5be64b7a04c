import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { SqliteVersionIndex } from "../../../lambda/local/data/sqlite-version-index.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { type Call, runProcesses } from "../../support/local-process.ts";

// Several processes on one data folder, which did not exist before: they open it at the same moment, too.

const numbers = Array.from({ length: 60 }, (_, i) => i);

async function runThree(data: string, calls: (process: number) => readonly Call[]) {
  const ends = await runProcesses([0, 1, 2].map((process) => ({ data, calls: calls(process) })));
  for (const end of ends) assert.equal(end.results?.length, numbers.length, end.errors);
  return ends.map((end) => end.results ?? []);
}

test("among processes one gets each lease", async (t) => {
  const results = await runThree(dataFolder(t), () => numbers.map((i) => ["acquire", `lease ${i}`, 100, 110] as const));
  for (const i of numbers) {
    assert.equal(results.filter((each) => each[i] !== null).length, 1, `lease ${i}`);
  }
});

test("among processes each fence of one lease is given once, in order", async (t) => {
  const results = await runThree(dataFolder(t), (process) =>
    // Times run on from call to call, so that most calls find the lease's time over.
    numbers.map((i) => ["acquire", "lease", i * 10 + process, i * 10 + process + 5] as const),
  );
  const fences = results.flat().filter((fence) => fence !== null) as number[];
  assert.ok(fences.length >= numbers.length / 3);
  assert.deepEqual(
    fences.toSorted((a, b) => a - b),
    fences.map((_, i) => i + 1),
  );
});

test("among processes one creates each file, and all of them read its content", async (t) => {
  const data = dataFolder(t);
  const results = await runThree(data, (process) =>
    numbers.map((i) => ["create", `m${i % 7}/@v/v1.0.${i}.mod`, `written by ${process}`.repeat(100)] as const),
  );
  const store = await DirectoryModuleStore.open(data, 0);
  for (const i of numbers) {
    const told = results.map((each) => each[i]);
    assert.deepEqual(told.toSorted(), [false, false, true], `file ${i}`);
    const content = Buffer.from((await store.read(`m${i % 7}/@v/v1.0.${i}.mod`)) ?? []).toString();
    assert.equal(content, `written by ${told.indexOf(true)}`.repeat(100));
  }
});

test("among processes no row of the index is lost", async (t) => {
  const data = dataFolder(t);
  await runThree(data, (process) => numbers.map((i) => ["addVersion", "m", `v1.${process}.${i}`] as const));
  const database = openIndexDatabase(join(data, indexFile));
  t.after(() => database.close());
  assert.equal((await new SqliteVersionIndex(database).module("m")).versions.length, 3 * numbers.length);
});

test("among processes one replaces each head", async (t) => {
  const results = await runThree(dataFolder(t), (process) =>
    numbers.map((i) => ["replace", `sum ${i}`, null, `note of ${process}`] as const),
  );
  for (const i of numbers) assert.deepEqual(results.map((each) => each[i]).toSorted(), [false, false, true]);
});
