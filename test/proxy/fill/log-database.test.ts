import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLookup } from "../../../lambda/golang/sumdb.ts";
import { LogDatabase } from "../../../lambda/proxy/fill/log-database.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { MemoryRecordLog } from "../../support/memory-record-log.ts";

const module = { path: "example.com/m", version: "v1.0.0" };

function world(fails?: ServedError) {
  const log = new MemoryRecordLog();
  const asked: string[] = [];
  const room = { left: true };
  const database = new LogDatabase({
    checkRoom: () => {
      if (!room.left) throw new ServedError("store-failed", "no room");
    },
    reads: Object.assign(log, { head: async () => undefined, tile: async () => undefined }),
    record: async ({ path, version }, waitUntil) => {
      asked.push(`${path}@${version} ${waitUntil}`);
      if (fails !== undefined) throw fails;
      await log.append([{ module, zip: "h1:a=", goMod: "h1:b=", proof: undefined }]);
    },
  });
  return { database, asked, room };
}

test("what is looked up and not logged is obtained once, and then looked up", async () => {
  const { database, asked } = world();
  const answers = await Promise.all(Array.from({ length: 16 }, () => database.lookup(module, 7)));
  answers.push(await database.lookup(module, 8));
  for (const answer of answers) {
    const { id, record, signedNote } = parseLookup(answer);
    assert.deepEqual([id, Buffer.from(signedNote).toString()], [0n, "a signed note"]);
    assert.equal(Buffer.from(record).toString(), "example.com/m v1.0.0 h1:a=\nexample.com/m v1.0.0/go.mod h1:b=\n");
  }
  assert.deepEqual(asked, ["example.com/m@v1.0.0 7"]);
});

test("a version that does not exist is not found, and what else fails is what it is", async () => {
  for (const [code, served] of [
    ["not-found", "not-found"],
    ["checksum-unknown", "not-found"],
    ["claim-mismatch", "claim-mismatch"],
    ["upstream-failed", "upstream-failed"],
    ["log-unsigned", "log-unsigned"],
  ] as const)
    await assert.rejects(world(new ServedError(code, "why")).database.lookup(module, 0), {
      code: served,
      message: "why",
    });
});

test("where the disk is nearly full, what is logged is looked up, and nothing is obtained", async () => {
  const { database, asked, room } = world();
  room.left = false;
  await assert.rejects(database.lookup(module, 0), { code: "store-failed" });
  assert.deepEqual(asked, []);
  room.left = true;
  await database.lookup(module, 0);
  room.left = false;
  await database.lookup(module, 0);
});

test("a log without a signed head says so, and has no tile", async () => {
  const { database } = world();
  await assert.rejects(database.head(), { code: "log-unsigned" });
  await assert.rejects(database.tile("tile/8/0/000.p/1"), { code: "not-found" });
});
