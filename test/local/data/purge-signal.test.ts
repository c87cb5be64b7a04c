import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PurgeSignal } from "../../../lambda/local/data/purge-signal.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";

test("a purge is known at once where it was made, and soon wherever else the folder is in use", async (t) => {
  const file = join(dataFolder(t), "purged");
  const [one, other] = [new PurgeSignal(file), new PurgeSignal(file)];
  const told = { one: 0, other: 0 };
  const stops = [one.watch(() => told.one++), other.watch(() => told.other++)];
  t.after(() => {
    for (const stop of stops) stop();
  });
  await one.purge();
  assert.equal(told.one, 1);
  await eventually(() => told.other === 1);
  await other.purge();
  await eventually(() => told.one === 2);
  assert.equal(told.other, 2);
});

test("a folder that is gone fails nobody, and who purges still knows", async (t) => {
  const folder = dataFolder(t);
  const signal = new PurgeSignal(join(folder, "purged"));
  let told = 0;
  t.after(signal.watch(() => told++));
  rmSync(folder, { recursive: true });
  await signal.purge();
  assert.equal(told, 1);
});
