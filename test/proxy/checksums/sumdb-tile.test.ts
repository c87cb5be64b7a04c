import assert from "node:assert/strict";
import { test } from "node:test";
import { newVerifier } from "../../../lambda/golang/note.ts";
import { SumdbFill } from "../../../lambda/proxy/checksums/sumdb-fill.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { ChecksumDatabase } from "../../support/checksum-database.ts";
import { MemoryModuleStore, MemoryTreeHeadStore } from "../../support/memory-adapters.ts";

// A client that has seen a newer head elsewhere asks for tiles beyond ours: that must not fail its build.

async function open() {
  const database = new ChecksumDatabase();
  await database.add("example.com/m", 300);
  let time = 1_000_000;
  const fill = new SumdbFill({
    verifier: newVerifier(database.vkey),
    remote: {
      get: async (path, options) =>
        database.get(path, options?.limit ?? 1e6).catch((cause: unknown) => {
          throw new ServedError("not-found", "404", { cause });
        }),
    },
    store: new MemoryModuleStore(),
    heads: new MemoryTreeHeadStore(),
    isPrivate: () => false,
    clock: { now: () => time },
  });
  await fill.lookup({ path: "example.com/m", version: "v1.7.0" });
  database.requests.length = 0;
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { database, fill, pass };
}

test("a tile beyond the head renews the head first, and is then served", async () => {
  const { database, fill } = await open();
  await database.add("example.com/n", 300);
  assert.equal((await fill.tile("tile/8/0/001")).length, 256 * 32);
  assert.deepEqual(database.requests.slice(0, 1), ["/latest"]);
});

test("a tile beyond the database's own head is refused without asking for it, and the head asked for once a minute", async () => {
  const { database, fill, pass } = await open();
  for (const path of ["tile/8/0/009", "tile/8/3/009", "tile/8/0/008"])
    await assert.rejects(fill.tile(path), { code: "not-found" });
  assert.deepEqual(database.requests, ["/latest"]);
  pass(60_000);
  await assert.rejects(fill.tile("tile/8/0/009"), { code: "not-found" });
  assert.deepEqual(database.requests, ["/latest", "/latest"]);
});
