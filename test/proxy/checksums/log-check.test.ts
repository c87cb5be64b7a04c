import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { newVerifier } from "../../../lambda/golang/note.ts";
import { checkLog, type LoggedVersion } from "../../../lambda/proxy/checksums/log-check.ts";
import { ChecksumDatabase } from "../../support/checksum-database.ts";

// A whole log read as anyone can, over a database in memory whose answers are changed by hand.

const h1 = (text: string) => `h1:${createHash("sha256").update(text).digest("base64")}`;

async function databaseOf(size: number, database = new ChecksumDatabase()): Promise<ChecksumDatabase> {
  for (let i = database.size; i < size; i++)
    await database.addRecord(`example.com/m${i}`, "v1.0.0", h1(`zip ${i}`), h1(`mod ${i}`));
  return database;
}

interface Check {
  readonly kept?: Uint8Array | undefined;
  /** Tiles of records that may not be read. */
  readonly refused?: (path: string) => boolean;
}

async function check(database: ChecksumDatabase, { kept, refused = () => false }: Check = {}) {
  const faults: string[] = [];
  const visited: LoggedVersion[] = [];
  const findings = await checkLog({
    verifier: newVerifier(database.vkey),
    reads: { get: async (path) => (refused(path) ? undefined : database.get(path, 10_000_000)) },
    kept,
    fault: (line) => faults.push(line),
    visit: async (record) => void visited.push(record),
  });
  return { ...findings, faults, visited };
}

test("logs of all sizes are read whole, each record and tile once", async () => {
  for (const [size, tiles] of [
    [0, 0],
    [1, 2],
    [255, 2],
    // A full tile is a hash of the tile above it.
    [256, 3],
    [257, 5],
    [700, 7],
  ] as const) {
    const database = await databaseOf(size);
    const { tree, continuation, records, unreadable, faults, visited, ...found } = await check(database);
    assert.deepEqual([tree.n, continuation, records, unreadable, faults], [BigInt(size), "first", size, 0, []]);
    assert.equal(found.tiles, tiles, `${size}`);
    assert.deepEqual(
      visited.map(({ id, path, zip, goMod }) => [id, path, zip, goMod]),
      Array.from({ length: size }, (_, i) => [i, `example.com/m${i}`, h1(`zip ${i}`), h1(`mod ${i}`)]),
    );
    assert.deepEqual(new Set(database.requests).size, database.requests.length);
  }
});

test("a tile of records that may not be read is counted, and the tree is checked all the same", async () => {
  const database = await databaseOf(600);
  const { records, unreadable, faults } = await check(database, { refused: (path) => path.endsWith("data/001") });
  assert.deepEqual([records, unreadable, faults], [344, 256, []]);
});

test("the log of the last check must be the beginning of this one", async () => {
  for (const before of [1, 255, 256, 257, 511, 600]) {
    const database = await databaseOf(before);
    const kept = await database.signedHead();
    await databaseOf(600, database);
    const { continuation, faults } = await check(database, { kept });
    assert.deepEqual([continuation, faults], [before === 600 ? "same" : "extends", []], `${before}`);
    const { continuation: shrunk } = await check(await databaseOf(before - 1, database.fork()), { kept });
    assert.equal(shrunk, "rollback", `${before}`);
    const other = database.fork();
    await other.addRecord("example.com/other", "v1.0.0", h1("a"), h1("b"));
    assert.equal((await check(await databaseOf(600, other), { kept })).continuation, "fork", `${before}`);
  }
});

/** A change of an answer, and what is found. */
const changes: readonly (readonly [path: string, change: (bytes: Buffer) => Buffer, fault: RegExp])[] = [
  [
    "/tile/8/data/000",
    (text) => swap(text, "example.com/m7 ", "example.com/x7 "),
    /^record 7 is not the one in the log$/,
  ],
  ["/tile/8/data/001", (text) => swap(text, h1("zip 300"), h1("zip 301")), /^record 300 is not the one in the log$/],
  ["/tile/8/data/002.p/88", (text) => text.subarray(1), /^record 512 is not the one in the log$/],
  ["/tile/8/data/002.p/88", (text) => text.subarray(0, -1), /^tile\/8\/data\/002\.p\/88 is damaged/],
  ["/tile/8/0/001", (hashes) => hashes.fill(1, 0, 1), /^record 256 is not the one in the log$/],
  ["/tile/8/0/001", (hashes) => hashes.fill(1, 0, 1), /^the tiles do not lead to the signed head$/],
  ["/tile/8/1/000.p/2", (hashes) => hashes.fill(1, 0, 1), /^tile\/8\/1\/000\.p\/2 does not follow/],
];

function swap(text: Buffer, from: string, to: string): Buffer {
  return Buffer.from(text.toString().replace(from, to));
}

test("whatever is changed by hand is found", async () => {
  const database = await databaseOf(600);
  for (const [path, change, fault] of changes) {
    database.tamper = (asked, answer) => (asked === path && answer ? change(Buffer.from(answer)) : answer);
    const { faults } = await check(database);
    assert.ok(
      faults.some((line) => fault.test(line)),
      `${path}: ${faults.join("; ")}`,
    );
  }
});

test("a version that has two records, and a record in another form, are found", async () => {
  const database = await databaseOf(300);
  await database.addRecord("example.com/m7", "v1.0.0", h1("zip 7"), h1("other"));
  await database.addRecord("example.com/odd", "v1.0.0", "h1:zip=", h1("b"));
  const { faults } = await check(database);
  assert.deepEqual(faults, [
    "record 300 is the second of example.com/m7@v1.0.0",
    "record 301 is not two lines of go.sum",
  ]);
});

test("a head that somebody else signed, and a tile that is not there, end the check", async () => {
  const database = await databaseOf(3);
  const stranger = await databaseOf(3);
  database.tamper = (path, answer) => (path === "/latest" ? headOf : answer);
  const headOf = await stranger.signedHead();
  await assert.rejects(check(database), { code: "note-unverified" });
  database.tamper = (path, answer) => (path.includes("/0/") ? undefined : answer);
  await assert.rejects(check(database), { code: "sumdb-not-found" });
});
