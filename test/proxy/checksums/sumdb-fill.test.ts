import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey, newVerifier } from "../../../lambda/golang/note.ts";
import { parseLookup } from "../../../lambda/golang/sumdb.ts";
import type { VersionHashes } from "../../../lambda/proxy/checksums/checksums.ts";
import { keepOurs, readFork } from "../../../lambda/proxy/checksums/fork-evidence.ts";
import { SumdbFill } from "../../../lambda/proxy/checksums/sumdb-fill.ts";
import { ServedError, type ServedErrorCode } from "../../../lambda/proxy/store/served-error.ts";
import { ChecksumDatabase } from "../../support/checksum-database.ts";
import { countedCalls, countsOf } from "../../support/counted-calls.ts";
import { MemoryModuleStore, MemoryTreeHeadStore } from "../../support/memory-adapters.ts";
import { SetClock } from "../../support/set-clock.ts";

const name = "sum.example.com";
const path = "example.com/m";
const at = (version: string, module = path) => ({ path: module, version });

/** A database of three versions of one module, and a proxy in front of it that has asked nothing yet. */
async function open() {
  const key = generateKey(name);
  const database = new ChecksumDatabase(key);
  await database.add(path, 3);
  const [store, heads, clock] = [new MemoryModuleStore(), new MemoryTreeHeadStore(), new SetClock()];
  const calls: string[] = [];
  const link = { to: database, fails: undefined as ServedErrorCode | undefined };
  const get = async (asked: string, limit = 1e6) => {
    if (link.fails !== undefined) throw new ServedError(link.fails, `failed as ${link.fails}`);
    const code = asked.startsWith("/lookup/") ? "checksum-unknown" : "not-found";
    return link.to.get(asked, limit).catch((cause: unknown) => {
      throw new ServedError(code, "the database does not know it", { cause });
    });
  };
  const fill = new SumdbFill({
    verifier: newVerifier(database.vkey),
    remote: { get: (asked, options) => get(asked, options?.limit) },
    store: countedCalls("store", store, calls),
    heads,
    isPrivate: (module) => module.startsWith("corp.example/"),
    clock,
  });
  /** What the database was asked since the last time. */
  const take = () => database.requests.splice(0);
  /** From now on the database shows another log, signed with its true key. */
  const fork = async () => {
    const other = new ChecksumDatabase(key);
    await other.add("example.com/evil", 8);
    await other.addRecord(path, "v1.9.0");
    link.to = other;
  };
  return { database, fill, store, calls, heads, clock, link, take, fork };
}

const lookups = (requests: readonly string[]) => requests.filter((request) => request.startsWith("/lookup/"));

test("a private module is not asked about", async () => {
  const { fill, take } = await open();
  assert.equal(await fill.hashes(at("v1.0.0", "corp.example/m")), undefined);
  await assert.rejects(fill.lookup(at("v1.0.0", "corp.example/m")), { code: "forbidden" });
  assert.deepEqual(take(), []);
});

test("a record is asked for once, by 64 at the same moment and ever after", async () => {
  const { fill, take, store, calls, database } = await open();
  const all = await Promise.all(
    Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? fill.hashes(at("v1.1.0")) : fill.lookup(at("v1.1.0")))),
  );
  const head = Buffer.from(await database.signedHead()).toString();
  const said = (hashes: VersionHashes | undefined) => {
    const { proof, ...others } = hashes ?? assert.fail();
    return { ...others, number: proof?.number, head: Buffer.from(proof?.head ?? []).toString() };
  };
  const proved = { zip: "h1:zip=", goMod: "h1:mod=", number: 1n, head };
  assert.deepEqual(said(all[0] as VersionHashes), proved);
  const asked = take();
  assert.deepEqual(lookups(asked), ["/lookup/example.com/m@v1.1.0"]);
  assert.equal(new Set(asked).size, asked.length);
  assert.equal(countsOf(calls)["store.create"], store.files.size);
  assert.ok(store.files.has(`sumdb/${name}/lookup/example.com/m@v1.1.0`));
  assert.deepEqual(store.files.get(`sumdb/${name}/supported`), new Uint8Array());
  assert.deepEqual(said(await fill.hashes(at("v1.1.0"))), proved);
  await fill.lookup(at("v1.1.0"));
  assert.deepEqual(take(), []);
});

test("a lookup is the stored record under the newest verified head, also while the database is down", async () => {
  const { fill, database, store, heads, link } = await open();
  const first = parseLookup(await fill.lookup(at("v1.0.0")));
  assert.deepEqual(first.signedNote, Buffer.from((await heads.read(name)) ?? []));
  await database.add(path, 2, 3);
  await fill.lookup(at("v1.4.0"));
  link.fails = "checksum-unavailable";
  const again = parseLookup(await fill.lookup(at("v1.0.0")));
  assert.deepEqual([again.id, again.record], [first.id, first.record]);
  assert.deepEqual(again.signedNote, Buffer.from(await database.signedHead(5)));
  // What is stored keeps the head it was verified under: files never change.
  const stored = store.files.get(`sumdb/${name}/lookup/example.com/m@v1.0.0`) ?? new Uint8Array();
  assert.deepEqual(Buffer.from(parseLookup(stored).signedNote), Buffer.from(await database.signedHead(3)));
});

test("a module the database does not know stops a fill, and is a 404 to who looks it up; neither is stored", async () => {
  const { fill, store, heads } = await open();
  await assert.rejects(fill.hashes(at("v9.0.0")), { code: "checksum-unknown" });
  await assert.rejects(fill.lookup(at("v9.0.0")), { code: "not-found" });
  assert.deepEqual([store.files.size, heads.heads.size], [0, 0]);
});

test("a failure of the way to the database is said as it is, and nothing of it is remembered", async () => {
  for (const code of ["checksum-unavailable", "upstream-refused", "fill-timeout"] as const) {
    const { fill, link } = await open();
    link.fails = code;
    await assert.rejects(fill.hashes(at("v1.0.0")), { code });
    await assert.rejects(fill.lookup(at("v1.0.0")), { code });
    link.fails = undefined;
    assert.ok(await fill.hashes(at("v1.0.0")), code);
  }
});

/** What a liar may change, and what that is. */
const forgeries: readonly (readonly [what: string, of: RegExp, change: (right: Buffer) => Buffer])[] = [
  ["the record's hash", /lookup/, (right) => Buffer.from(right.toString("latin1").replace("zip=", "zap="), "latin1")],
  ["the signature", /lookup/, (right) => Buffer.concat([right.subarray(0, -6), Buffer.from("AAAA=\n")])],
  [
    "the size of the log",
    /lookup/,
    (right) => Buffer.from(right.toString("latin1").replace("\n3\n", "\n4\n"), "latin1"),
  ],
  ["a tile", /tile/, (right) => Buffer.from(right.map((byte) => byte ^ 1))],
  ["a tile's length", /tile/, (right) => right.subarray(1)],
  ["everything", /lookup/, () => Buffer.from("<html>")],
];

test("what is forged is refused and neither stored nor kept as a head", async () => {
  for (const [what, of, change] of forgeries) {
    const { fill, database, store, heads } = await open();
    database.tamper = (asked, right) => (of.test(asked) && right ? change(Buffer.from(right)) : right);
    await assert.rejects(fill.hashes(at("v1.1.0")), { code: "checksum-forged", message: /^SECURITY ERROR/ }, what);
    assert.deepEqual([store.files.size, heads.heads.size], [0, 0], what);
    database.tamper = (_, right) => right;
    assert.ok(await fill.hashes(at("v1.1.0")), what);
  }
});

test("a fork stops every fill of a public module, stored records included, until an operator decides", async () => {
  const { fill, heads, fork, link, database, store } = await open();
  await fill.hashes(at("v1.0.0"));
  const files = new Map(store.files);
  await fork();
  const stop = { code: "checksum-fork", message: /^SECURITY ERROR/ };
  await assert.rejects(fill.hashes(at("v1.9.0")), stop);
  link.to = database;
  for (const version of ["v1.0.0", "v1.1.0"]) await assert.rejects(fill.hashes(at(version)), stop, version);
  await assert.rejects(fill.lookup(at("v1.1.0")), stop);
  assert.equal(await fill.hashes(at("v1.0.0", "corp.example/m")), undefined);
  assert.deepEqual(store.files, files);
  // Both heads are kept as evidence, and what was verified before the fork can still be looked up.
  const evidence = await readFork(heads, name);
  assert.equal(evidence?.ours, Buffer.from(await database.signedHead()).toString());
  assert.match(evidence?.theirs ?? "", /\n9\n/);
  assert.ok(await fill.lookup(at("v1.0.0")));
  await keepOurs(heads, name);
  assert.ok(await fill.hashes(at("v1.1.0")));
});

test("a fork is found by whoever asks first: a lookup, a head or a tile beyond ours", async () => {
  for (const ask of ["lookup", "head", "tile"] as const) {
    const { fill, heads, fork } = await open();
    await fill.hashes(at("v1.0.0"));
    await fork();
    const asks = {
      lookup: () => fill.lookup(at("v1.9.0")),
      head: () => fill.head(),
      tile: () => fill.tile("tile/8/0/000.p/9"),
    };
    await assert.rejects(asks[ask](), { code: "checksum-fork" }, ask);
    assert.equal((await readFork(heads, name))?.decided, false, ask);
  }
});

test("the head is asked for once a minute; while the database is down the one we have is given as stale", async () => {
  const { fill, database, clock, link, take } = await open();
  const first = await fill.head();
  assert.deepEqual(first, { body: await database.signedHead() });
  assert.deepEqual(take().slice(0, 1), ["/latest"]);
  clock.time += 59_999;
  await database.add(path, 1, 3);
  assert.deepEqual(await fill.head(), first);
  assert.deepEqual(take(), []);
  clock.time += 1;
  const second = await fill.head();
  assert.deepEqual(second, { body: await database.signedHead(4) });
  clock.time += 60_000;
  link.fails = "checksum-unavailable";
  assert.ok("body" in second);
  assert.deepEqual(await fill.head(), { body: second.body, stale: true });
  link.fails = "upstream-refused";
  await assert.rejects(fill.head(), { code: "upstream-refused" });
});

test("without a head ever seen there is none to give", async () => {
  const { fill, link } = await open();
  link.fails = "checksum-unavailable";
  await assert.rejects(fill.head(), { code: "checksum-unavailable" });
});
