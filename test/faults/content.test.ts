import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { hashZip } from "../../lambda/golang/dirhash.ts";
import { type AskedKind, type Cell, CellTable, cellModule } from "../support/cells.ts";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { serveDatabase } from "../support/database-server.ts";
import { eventually } from "../support/eventually.ts";
import { addFixture, type ModuleFixture, moduleFixture, noise, zipOf } from "../support/module-fixture.ts";
import { get, temporaryNames } from "../support/product.ts";
import type { RawEntry } from "../support/raw-zip.ts";
import { type Reply, ScriptedUpstream } from "../support/scripted-upstream.ts";
import { temporaryFile } from "../support/zip-file.ts";

// Answers that arrive whole and are wrong. Private modules first: nothing but the rules speaks for them.

type Wrong = readonly [
  name: string,
  kind: AskedKind,
  body: string | Uint8Array | ((module: ModuleFixture) => Uint8Array),
];

const page = "<!doctype html><html><body>Sign in\nv1.0.0</body></html>";
const other = moduleFixture("other.example/m");

/** A zip with the module's go.mod and one more entry. */
function withEntry(entry: (prefix: string) => RawEntry): (module: ModuleFixture) => Uint8Array {
  return (module) => zipOf(module, [entry(`${module.path}@${module.version}/`)]);
}

const infos: readonly Wrong[] = [
  ["a page", "info", page],
  ["nothing", "info", ""],
  ["null", "info", "null"],
  ["an array", "info", "[]"],
  ["cut JSON", "info", '{"Version":"v1.0.0","Time":"2024-'],
  ["foreign JSON", "info", '{"error":"login required"}'],
  ["another version", "info", '{"Version":"v1.0.1","Time":"2024-01-02T03:04:05Z"}'],
  ["a version of another major", "info", '{"Version":"v2.0.0","Time":"2024-01-02T03:04:05Z"}'],
  ["a time that does not exist", "info", '{"Version":"v1.0.0","Time":"2024-02-30T03:04:05Z"}'],
  ["bytes that are no UTF-8", "info", Buffer.from([0x7b, 0xff, 0x7d])],
  ["deep JSON", "info", `${"[".repeat(100_000)}`],
  ["null for a query", "query", "null"],
  ["a page for a query", "query", page],
  ["a query's answer that is no version", "query", '{"Version":"../../x"}'],
];
const lists: readonly Wrong[] = [
  ["a page", "list", page.replace("\nv1.0.0", "")],
  ["junk", "list", noise("junk", 5000)],
  ["pages of words", "list", "not a version\n".repeat(1000)],
  ["100 MB", "list", Buffer.alloc(100 << 20, "v1.0.0\n")],
];
const mods: readonly Wrong[] = [
  ["a page", "mod", page],
  ["nothing", "mod", ""],
  ["that of another module", "mod", other.mod],
  ["more than 16 MiB", "mod", Buffer.alloc((16 << 20) + 1, "// \n")],
];
const zips: readonly Wrong[] = [
  ["a page", "zip", page],
  ["nothing", "zip", ""],
  ["the zip of another module", "zip", () => other.zip],
  ["the zip of another version", "zip", ({ path }) => moduleFixture(path, "v1.0.1").zip],
  ["another go.mod than beside it", "zip", ({ path, version }) => zipOf({ path, version, mod: other.mod }, [])],
  ["cut in half", "zip", ({ zip }) => zip.subarray(0, zip.length >> 1)],
  ["without its last byte", "zip", ({ zip }) => zip.subarray(0, -1)],
  ["../", "zip", withEntry((prefix) => ({ name: `${prefix}../../../etc/passwd`, content: "x" }))],
  ["an absolute name", "zip", withEntry(() => ({ name: "/etc/passwd", content: "x" }))],
  ["a name outside the module", "zip", withEntry(() => ({ name: "elsewhere/x.go", content: "x" }))],
  ["a backslash", "zip", withEntry((prefix) => ({ name: `${prefix}a\\..\\..\\x`, content: "x" }))],
  ["a duplicate", "zip", withEntry((prefix) => ({ name: `${prefix}go.mod`, content: "x" }))],
  ["case-colliding names", "zip", withEntry((prefix) => ({ name: `${prefix}GO.MOD`, content: "x" }))],
  ["a file below a file", "zip", withEntry((prefix) => ({ name: `${prefix}go.mod/x`, content: "x" }))],
  ["a name that Windows reserves", "zip", withEntry((prefix) => ({ name: `${prefix}aux.go`, content: "x" }))],
  ["a NUL in a name", "zip", withEntry((prefix) => ({ name: `${prefix}a\0b`, content: "x" }))],
  ["a wrong checksum", "zip", withEntry((prefix) => ({ name: `${prefix}x.go`, content: "x", crc32: 1 }))],
  [
    "a bomb that hides its size",
    "zip",
    withEntry((prefix) => ({ name: `${prefix}x`, content: Buffer.alloc(64 << 20), method: 8, uncompressedSize: 10 })),
  ],
  [
    "a bomb that declares its size",
    "zip",
    withEntry((prefix) => ({ name: `${prefix}x`, content: "x", method: 8, uncompressedSize: 600 << 20 })),
  ],
];

interface WrongCell extends Cell {
  readonly chain: string;
}

function cells(rows: readonly Wrong[]): readonly WrongCell[] {
  return rows.flatMap(([name, kind, body]) => {
    const reply = (module: ModuleFixture): Reply => ({ body: typeof body === "function" ? body(module) : body });
    return ["FAULTY", "FAULTY,HEALTHY"].map((chain) => ({ name: `${kind}: ${name} (${chain})`, kind, reply, chain }));
  });
}

for (const rows of [infos, lists, mods, zips]) {
  test(`a wrong ${rows[0]?.[1]} is refused, in no place of a chain a 404, and the true one is taken later`, async (t) => {
    const table = await CellTable.start(t, cells(rows));
    for (const [tried, { status, body }] of await table.askAll()) {
      const { cell } = tried;
      assert.ok(status === 502 || status === 403, `${cell.name}: ${status} ${body}`);
      assert.doesNotMatch(body.toString(), /Sign in|<html|\/tmp|SyntaxError|Unexpected/, cell.name);
      assert.ok(!table.stored(tried).includes(`.${cell.kind}`), cell.name);
    }
    await eventually(() => temporaryNames(table.data).length === 0);
    table.heal();
    for (const [{ cell }, { status, body }] of await table.askAll()) {
      assert.equal(status, 200, `${cell.name}, healed: ${body.toString().slice(0, 200)}`);
    }
  });
}

for (const [own, kept] of [
  ["*.example", [".info", ".mod", ".zip"]], // A private version is one unit.
  ["", [".mod"]], // The zip was looked at, and nobody asked for it.
] as const) {
  test(`a fork keeps the go.mod of its origin: it is taken when the zip says the same (private: "${own}")`, async (t) => {
    const fork = (path: string) => ({ path, version: "v1.0.0", mod: other.mod });
    const table = await CellTable.start(
      t,
      [{ name: "mod", kind: "mod", reply: { body: other.mod }, alsoZip: (module) => zipOf(fork(module.path), []) }],
      { config: { private: own === "" ? [] : own } },
    );
    for (const [tried, { status, body }] of await table.askAll()) {
      assert.deepEqual([status, body], [200, Buffer.from(other.mod)]);
      assert.deepEqual(table.stored(tried), kept);
    }
  });
}

/** All modules of a table, with their true records in a checksum database. */
async function publicTable<C extends Cell>(t: TestContext, cells: readonly C[]): Promise<CellTable<C>> {
  const database = new ChecksumDatabase();
  for (const i of cells.keys()) await addFixture(database, cellModule(i));
  const sumdb = await ScriptedUpstream.start();
  t.after(() => sumdb.close());
  sumdb.otherwise(serveDatabase(database));
  return CellTable.start(t, cells, { config: { private: [], sumdb: { name: database.vkey, url: sumdb.url } } });
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

/** Bits spread over a file of this many bytes, its first and last among them. */
function bitsOf(length: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => Math.round((i / (count - 1)) * (length * 8 - 1)));
}

test("a flipped bit anywhere in a go.mod of a public module is refused", async (t) => {
  const bits = bitsOf(cellModule(10).mod.length, 60);
  const table = await publicTable(
    t,
    bits.map((bit) => ({
      name: `bit ${bit}`,
      kind: "mod" as const,
      reply: (m: ModuleFixture) => ({ body: flipped(m.mod, bit) }),
    })),
  );
  for (const [tried, { status, body }] of await table.askAll()) {
    assert.equal(status, 403, `${tried.cell.name}: ${body}`);
    assert.match(body.toString(), /SECURITY ERROR/);
    assert.deepEqual(table.stored(tried), [], tried.cell.name);
  }
  table.heal();
  for (const [, { status }] of await table.askAll()) assert.equal(status, 200);
});

test("a flipped bit anywhere in a zip of a public module is refused, or is in none of its files", async (t) => {
  const { zip } = cellModule(10);
  const directory = bitsOf(400, 60).map((bit) => zip.length * 8 - 3200 + bit);
  const bits = [...bitsOf(zip.length, 80), ...directory];
  const table = await publicTable(
    t,
    bits.map((bit) => ({
      name: `bit ${bit}`,
      kind: "zip" as const,
      reply: (m: ModuleFixture) => ({ body: flipped(m.zip, bit) }),
    })),
  );
  let refused = 0;
  for (const [tried, { status, body }] of await table.askAll()) {
    const { cell, module } = tried;
    if (status === 200) {
      // Times, attributes and whatever else the hash of a module leaves out: what `go` unpacks is the same.
      assert.equal(await hashZip(temporaryFile(body)), await hashZip(temporaryFile(module.zip)), cell.name);
      continue;
    }
    refused++;
    assert.ok(status === 502 || status === 403, `${cell.name}: ${status} ${body}`);
    assert.ok(!table.stored(tried).includes(".zip"), cell.name);
  }
  assert.ok(refused > bits.length / 2, `${refused} of ${bits.length}`);
  await eventually(() => temporaryNames(table.data).length === 0);
  table.heal();
  for (const [{ cell }, { status }] of await table.askAll()) assert.equal(status, 200, cell.name);
});

test("a zip without end is broken off at 500 MiB, and nothing of it stays", async (t) => {
  const reply = { body: Buffer.alloc(8 << 20, "zip"), fault: "endless", framing: "chunked" } as const;
  const table = await CellTable.start(t, [{ name: "endless", kind: "zip", reply }]);
  for (const [tried, { status, body }] of await table.askAll()) {
    assert.equal(status, 502);
    assert.match(body.toString(), /sent more than 524288000 bytes/);
    assert.ok(!table.stored(tried).includes(".zip"));
  }
  await eventually(() => temporaryNames(table.data).length === 0);
  assert.equal((await get(table.url, "/-/live")).status, 200);
});
