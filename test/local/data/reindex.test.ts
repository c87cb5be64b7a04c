import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { failpoints } from "../../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { reindex } from "../../../lambda/local/data/reindex.ts";
import { SqliteClaimStore } from "../../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteTreeHeadStore } from "../../../lambda/local/data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../../../lambda/local/data/sqlite-version-index.ts";
import type { Claim } from "../../../lambda/proxy/store/claim-store.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { runProcesses } from "../../support/local-process.ts";
import { storedVersions } from "../../support/stored-versions.ts";

const stored: readonly (readonly [key: string, module: string, version: string])[] = [
  ["github.com/!azure/x/@v/v1.0.0.info", "github.com/Azure/x", "v1.0.0"],
  ["github.com/!azure/x/@v/v1.1.0-!r!c.mod", "github.com/Azure/x", "v1.1.0-RC"],
  ["github.com/!azure/x/@v/v2.0.0+incompatible.zip", "github.com/Azure/x", "v2.0.0+incompatible"],
  ["github.com/!azure/x/v2/@v/v2.0.0.mod", "github.com/Azure/x/v2", "v2.0.0"],
  ["gopkg.in/yaml.v3/@v/v3.0.1.mod", "gopkg.in/yaml.v3", "v3.0.1"],
  ["a.example/@v/v0.0.0-20240102030405-abcdefabcdef.info", "a.example", "v0.0.0-20240102030405-abcdefabcdef"],
];

/** What lies in the folder and is no version's file. */
const foreign = [
  "github.com/!azure/x/@v/v1.0.0.ziphash",
  "github.com/!azure/x/@v/list",
  "github.com/!azure/x/@v/main.info",
  "github.com/!azure/x/@v/v1.info",
  "github.com/!azure/x/@v/v1.0.0+meta.info",
  "github.com/!azure/x/@v/v3.0.0.info", // no major of this path
  "github.com/Azure/y/@v/v1.0.0.info",
  "nodot/@v/v1.0.0.info",
  "sumdb/sum.golang.org/tile/8/0/001",
  ".DS_Store",
];

/** A note of a pretended database: `<size> <name>`; anything else is not signed. */
function readHead(name: string, note: Uint8Array): bigint | undefined {
  const [, size, signer] = /^([0-9]+) (.+)\n$/.exec(Buffer.from(note).toString()) ?? [];
  return size !== undefined && signer === name ? BigInt(size) : undefined;
}

const isPrivate = (module: string) => module.startsWith("corp.example/");

async function fill(data: string): Promise<void> {
  const store = await DirectoryModuleStore.open(data, 0);
  for (const [key] of stored) await store.create(key, Buffer.from(key));
  for (const key of foreign) await store.create(key, Buffer.from(key));
}

async function withIndex<T>(data: string, work: (index: SqliteVersionIndex, heads: SqliteTreeHeadStore) => Promise<T>) {
  const database = openIndexDatabase(join(data, indexFile));
  try {
    return await work(new SqliteVersionIndex(database), new SqliteTreeHeadStore(database));
  } finally {
    database.close();
  }
}

async function assertComplete(data: string): Promise<void> {
  await withIndex(data, async (index) => {
    for (const module of new Set(stored.map(([, module]) => module))) {
      const versions = stored.filter((row) => row[1] === module).map((row) => row[2]);
      assert.deepEqual(await storedVersions(index, module), versions.toSorted(), module);
    }
  });
}

const clean = { removed: 0, unlogged: 0, log: undefined, heads: 0, movedAside: undefined };

test("a folder without an index gets one of exactly the stored versions", async (t) => {
  const data = dataFolder(t);
  await fill(data);
  assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), { ...clean, versions: 6, added: 6 });
  await assertComplete(data);
  assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), { ...clean, versions: 6, added: 0 });
});

test("a version counts once, whichever and however many of its files are there", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  for (const end of ["info", "mod", "zip"]) await store.create(`a.example/@v/v1.0.0.${end}`, Buffer.from(end));
  assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), { ...clean, versions: 1, added: 1 });
});

test("a private version counts when all of its files are there: one that a crash left halfway is not whole", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const add = (version: string, ends: readonly string[]) =>
    Promise.all(ends.map((end) => store.create(`corp.example/x/@v/${version}.${end}`, Buffer.from(end))));
  await add("v1.0.0", ["info", "mod", "zip"]);
  await add("v1.1.0", ["info", "mod"]);
  assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), { ...clean, versions: 1, added: 1 });
  await withIndex(data, async (index) => assert.deepEqual(await storedVersions(index, "corp.example/x"), ["v1.0.0"]));
});

test("a sound index keeps what it remembers and loses rows without a file, beside an open one", async (t) => {
  const data = dataFolder(t);
  await fill(data);
  await withIndex(data, async (index) => {
    await index.addVersion("gone.example", "v1.0.0", 1, {});
    await index.addVersion("gone.example/NOT a path", "v1.0.0", 1, {});
    await index.addVersion("gopkg.in/yaml.v3", "v3.0.1", 1, {});
    await index.remember("gone.example", "list", { text: "v1.0.0\n", freshUntil: 1 });
    assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), {
      ...clean,
      versions: 6,
      added: 5,
      removed: 2,
    });
    const list = { text: "v1.0.0\n", freshUntil: 1 };
    assert.deepEqual(await index.module("gone.example"), { versions: [], list, latest: undefined });
  });
  await assertComplete(data);
});

/** Ways in which a file stops being a database. The first pages survive in some, the last in others. */
const damages: readonly (readonly [what: string, damage: (path: string) => void])[] = [
  ["text", (path) => writeFileSync(path, "this is no database\n".repeat(500))],
  ["cut in half", (path) => truncateSync(path, statSync(path).size / 2)],
  ["cut inside its header", (path) => truncateSync(path, 50)],
  ["zeros in the middle", (path) => overwrite(path, 4096, Buffer.alloc(4096))],
  ["noise in the first page", (path) => overwrite(path, 100, Buffer.alloc(1000, 0xa5))],
];

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, at);
  writeFileSync(path, content);
}

for (const [what, damage] of damages) {
  test(`a damaged index (${what}) is refused with what to do, moved aside and built anew`, async (t) => {
    const data = dataFolder(t);
    await fill(data);
    await reindex({ data, now: 0, readHead, isPrivate });
    const path = join(data, indexFile);
    damage(path);
    const damaged = readFileSync(path);
    assert.throws(() => openIndexDatabase(path), { code: "index-damaged", message: /modfront reindex/ });
    const counts = {
      removed: 0,
      unlogged: 0,
      log: undefined,
      heads: 0,
      versions: 6,
      added: 6,
      movedAside: `${indexFile}.damaged-1`,
    };
    assert.deepEqual(await reindex({ data, now: 0, readHead, isPrivate }), counts);
    assert.ok(damaged.equals(readFileSync(join(data, counts.movedAside))));
    await assertComplete(data);
    assert.deepEqual(readdirSync(join(data, "tmp")), []);
  });
}

test("what a damaged index still says of versions is taken over: claims, flags, facts and first sight", async (t) => {
  const data = dataFolder(t);
  await fill(data);
  const [path, version] = ["github.com/Azure/x", "v1.0.0"];
  const hash = `h1:${"a".repeat(43)}=`;
  const claims: readonly Claim[] = [
    { zip: hash, goMod: hash, info: "0".repeat(64) },
    { zip: "h1:short", goMod: hash, info: "0".repeat(64) },
  ];
  const database = openIndexDatabase(join(data, indexFile));
  const index = new SqliteVersionIndex(database);
  await index.addVersion(path, version, 5, { origin: "git", zipHash: hash, licences: ["MIT"] });
  await index.setFlag(path, version, "yanked", true);
  await index.addVersion("gone.example", version, 5, { zipSize: 1 });
  for (const [i, claim] of claims.entries())
    await new SqliteClaimStore(database).claim({ path, version: `v1.${i}.0` }, claim);
  database.close();
  // The header says that more pages are free than there are: SQLite calls that damage, and can read the rest.
  overwrite(join(data, indexFile), 36, Buffer.from([0, 0, 0, 99]));
  assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).movedAside, `${indexFile}.damaged-1`);
  await assertComplete(data);
  const rebuilt = openIndexDatabase(join(data, indexFile));
  t.after(() => rebuilt.close());
  const after = new SqliteVersionIndex(rebuilt);
  const row = (await after.module(path)).versions.find((each) => each.version === version);
  assert.deepEqual(row, { version, firstSeen: 5, flags: ["yanked"] });
  assert.deepEqual(await after.facts(path, version), { origin: "git", zipHash: hash, licences: ["MIT"] });
  assert.equal(await after.facts("gone.example", version), undefined);
  const kept = new SqliteClaimStore(rebuilt);
  assert.deepEqual(await kept.read({ path, version }), claims[0]);
  assert.equal(await kept.read({ path, version: "v1.1.0" }), undefined, "what no claim can be is none");
});

test("the log that a killed process left beside a damaged index is not applied to the new one", async (t) => {
  const [killed, data] = [dataFolder(t), dataFolder(t)];
  await reindex({ data: killed, now: 0, readHead, isPrivate });
  await withIndex(killed, async (index) => {
    await index.addVersion("killed.example", "v1.0.0", 1, {});
    for (const name of [indexFile, `${indexFile}-wal`]) copyFileSync(join(killed, name), join(data, name));
  });
  writeFileSync(join(data, indexFile), "damaged".repeat(1000));
  await fill(data);
  assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).movedAside, `${indexFile}.damaged-1`);
  await assertComplete(data);
});

test("a second damage is moved aside under a second name", async (t) => {
  const data = dataFolder(t);
  await fill(data);
  for (const n of [1, 2]) {
    writeFileSync(join(data, indexFile), "damaged".repeat(1000));
    assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).movedAside, `${indexFile}.damaged-${n}`);
  }
});

test("an index of a newer modfront is left alone", async (t) => {
  const data = dataFolder(t);
  await fill(data);
  await reindex({ data, now: 0, readHead, isPrivate });
  const database = openIndexDatabase(join(data, indexFile));
  database.durable.exec("PRAGMA user_version = 99");
  database.close();
  await assert.rejects(reindex({ data, now: 0, readHead, isPrivate }), { code: "index-too-new" });
  assert.ok(readdirSync(data).every((name) => !name.includes("damaged")));
});

test("heads come back from stored lookups: the newest that is signed, never an older one", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const lookup = (size: number, signer: string) => Buffer.from(`7\na.example v1.0.0 h1:x\n\n${size} ${signer}\n`);
  await store.create("sumdb/sum.golang.org/lookup/a.example@v1.0.0", lookup(20, "sum.golang.org"));
  await store.create("sumdb/sum.golang.org/lookup/a.example@v1.1.0", lookup(100, "sum.golang.org"));
  await store.create("sumdb/sum.golang.org/lookup/b.example/x@v1.1.0", lookup(99, "sum.golang.org"));
  await store.create("sumdb/sum.golang.org/lookup/forged@v1.0.0", lookup(500, "forger"));
  await store.create("sumdb/sum.golang.org/lookup/no-note@v1.0.0", Buffer.from("7\na.example v1.0.0 h1:x\n"));
  await store.create("sumdb/sum.example/lookup/a.example@v1.0.0", lookup(7, "sum.example"));
  assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).heads, 2);
  await withIndex(data, async (_, heads) => {
    assert.equal(Buffer.from((await heads.read("sum.golang.org")) ?? []).toString(), "100 sum.golang.org\n");
    assert.equal(Buffer.from((await heads.read("sum.example")) ?? []).toString(), "7 sum.example\n");
    await heads.replace("sum.golang.org", await heads.read("sum.golang.org"), Buffer.from("101 sum.golang.org\n"));
    await heads.replace("sum.example", await heads.read("sum.example"), Buffer.from("6 sum.example\n"));
  });
  assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).heads, 1);
  await withIndex(data, async (_, heads) => {
    assert.equal(Buffer.from((await heads.read("sum.golang.org")) ?? []).toString(), "101 sum.golang.org\n");
    assert.equal(Buffer.from((await heads.read("sum.example")) ?? []).toString(), "7 sum.example\n");
  });
});

test("a head that can still be read in a damaged index is kept when it is signed", async (t) => {
  const data = dataFolder(t);
  await withIndex(data, async (index, heads) => {
    for (let i = 0; i < 2000; i++) await index.remember("m", `query ${i}`, { text: "x".repeat(100), freshUntil: i });
    await heads.replace("sum.golang.org", undefined, Buffer.from("100 sum.golang.org\n"));
    await heads.replace("sum.example", undefined, Buffer.from("100 forger\n"));
  });
  const path = join(data, indexFile);
  overwrite(path, statSync(path).size - 4096, Buffer.alloc(4096));
  const { heads, movedAside } = await reindex({ data, now: 0, readHead, isPrivate });
  assert.deepEqual([heads, movedAside], [1, `${indexFile}.damaged-1`]);
});

for (const dieAt of failpoints.filter((name) => name.startsWith("reindex."))) {
  test(`killed at ${dieAt}, the index is damaged or complete, and a second reindex completes it`, async (t) => {
    const data = dataFolder(t);
    await fill(data);
    writeFileSync(join(data, indexFile), "damaged".repeat(1000));
    const [end] = await runProcesses([{ data, calls: "reindex", dieAt }]);
    assert.equal(end?.signal, "SIGKILL", end?.errors);
    if (dieAt === "reindex.replaced") await assertComplete(data);
    else assert.throws(() => openIndexDatabase(join(data, indexFile)), { code: "index-damaged" });
    assert.equal((await reindex({ data, now: 0, readHead, isPrivate })).versions, 6);
    await assertComplete(data);
    assert.deepEqual(readdirSync(join(data, "tmp")), []);
  });
}
