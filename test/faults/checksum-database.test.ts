import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { generateKey } from "../../lambda/golang/note.ts";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { dataFolder } from "../support/data-folder.ts";
import { serveDatabase } from "../support/database-server.ts";
import { addFixture, filePath, type ModuleFixture, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { get, type Product, startProduct, storedKeys } from "../support/product.ts";
import { type RecordedRequest, ScriptedUpstream } from "../support/scripted-upstream.ts";

// A checksum database that lies, goes back, forks or is away: nothing of a public module is stored or served then.

const key = generateKey("sum.example.com");
const first = moduleFixture("example.com/first");
const second = moduleFixture("example.com/second");
const third = moduleFixture("example.com/third");

interface World {
  readonly database: ChecksumDatabase;
  readonly sumdb: ScriptedUpstream;
  readonly upstream: ScriptedUpstream;
  readonly product: Product;
  readonly data: string;
  readonly config: object;
  /** Has another database answer from now on. */
  show(database: ChecksumDatabase): void;
}

/** A log with enough records for tiles of two levels, in which the modules lie far apart. */
async function logOf(others: string, modules: readonly ModuleFixture[]): Promise<ChecksumDatabase> {
  const database = new ChecksumDatabase(key);
  for (const module of modules) {
    await database.add(`${others}/${module.path.split("/")[1]}`, 130);
    await addFixture(database, module);
  }
  return database;
}

async function world(t: TestContext, config: object = {}): Promise<World> {
  const database = await logOf("others.example", [first, second, third]);
  const [upstream, sumdb] = await Promise.all([ScriptedUpstream.start(), ScriptedUpstream.start()]);
  t.after(() => Promise.all([upstream.close(), sumdb.close()]));
  for (const module of [first, second, third]) {
    for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  }
  const show = (shown: ChecksumDatabase) => void sumdb.otherwise(serveDatabase(shown));
  show(database);
  const data = dataFolder(t);
  const whole = {
    upstreams: [{ patterns: ["*"], chain: upstream.url }],
    sumdb: { name: database.vkey, url: sumdb.url },
    ...config,
  };
  const product = await startProduct({ data, config: whole });
  t.after(() => product.stop());
  return { database, sumdb, upstream, product, data, config: whole, show };
}

/** Asserts that no file of the module can be had for this reason, and that nothing of it is stored. */
async function assertRefused({ product, data }: World, module: ModuleFixture, status: number, why: RegExp) {
  for (const kind of ["info", "mod", "zip"] as const) {
    const answer = await get(product.url, filePath(module, kind));
    assert.equal(answer.status, status, `${kind}: ${answer.body}`);
    assert.match(answer.body.toString(), why);
  }
  const ofModule = storedKeys(data).filter((each) => each.includes(module.path));
  assert.deepEqual(ofModule, [], "neither files nor the lookup are stored");
}

async function assertServed({ product }: World, module: ModuleFixture) {
  const answer = await get(product.url, filePath(module, "zip"));
  assert.deepEqual([answer.status, answer.body.equals(module.zip)], [200, true], answer.body.toString().slice(0, 300));
}

const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte));

type Tamper = ChecksumDatabase["tamper"];
const forgeries: readonly (readonly [what: string, tamper: Tamper, why: RegExp])[] = [
  ["a forged tile", (path, answer) => (path.startsWith("/tile") ? answer && flip(answer, 37) : answer), /SECURITY/],
  ["a tile cut short", (path, answer) => (path.startsWith("/tile") ? answer?.subarray(1) : answer), /SECURITY/],
  ["a tile that is a page", (path, answer) => (path.startsWith("/tile") ? Buffer.from("<html>") : answer), /SECURITY/],
  ["no tiles", (path, answer) => (path.startsWith("/tile") ? undefined : answer), /SECURITY/],
  [
    "a forged record",
    (path, answer) =>
      path.startsWith("/lookup") ? Buffer.from(String(answer).replace(/h1:[^=]{10}/, "h1:AAAAAAAAAA")) : answer,
    /SECURITY/,
  ],
  [
    "a forged head: another size under the same signature",
    (path, answer) =>
      path.startsWith("/lookup") ? Buffer.from(String(answer).replace("tree\n393\n", "tree\n394\n")) : answer,
    /SECURITY/,
  ],
  [
    "a record without a head",
    (path, answer) => (path.startsWith("/lookup") ? Buffer.from(`${String(answer).split("\n\n")[0]}\n\n`) : answer),
    /SECURITY/,
  ],
  ["a page for a lookup", (path, answer) => (path.startsWith("/lookup") ? Buffer.from("<html>") : answer), /SECURITY/],
  ["an endless lookup", (path, answer) => (path.startsWith("/lookup") ? Buffer.alloc(5 << 20) : answer), /checksum/],
];

for (const [what, tamper, why] of forgeries) {
  test(`${what} is refused, and an honest answer later is taken`, async (t) => {
    const around = await world(t);
    around.database.tamper = tamper;
    await assertRefused(around, second, 502, why);
    around.database.tamper = (_, answer) => answer;
    await assertServed(around, second);
  });
}

test("the record of another module is refused", async (t) => {
  const around = await world(t);
  const of = (module: ModuleFixture) => `/lookup/${module.path}@${module.version}`;
  const other = await around.database.get(of(first), 100_000);
  around.database.tamper = (path, answer) => (path === of(second) ? other : answer);
  await assertRefused(around, second, 502, /SECURITY ERROR/);
});

test("a module that the database does not know is refused with what to do", async (t) => {
  const around = await world(t);
  const unknown = moduleFixture("example.com/unknown");
  for (const kind of ["info", "mod", "zip"] as const) {
    around.upstream.on(filePath(unknown, kind), { body: unknown[kind] });
  }
  await assertRefused(around, unknown, 403, /add the module to private if it is yours/);
});

test("a head that went back, of the same log, changes nothing and the newer one stays", async (t) => {
  const around = await world(t);
  await assertServed(around, third);
  const older = await logOf("others.example", [first, second]);
  around.show(older);
  await assertServed(around, second);
  const head = await get(around.product.url, "/sumdb/sum.example.com/latest");
  assert.match(head.body.toString(), /^go\.sum database tree\n393\n/);
});

test("a client that knows a newer head gets its tiles: ours is brought up to it, once a minute", async (t) => {
  const around = await world(t);
  around.show(await logOf("others.example", [first]));
  await assertServed(around, first);
  around.show(around.database);
  around.sumdb.forget();
  const wanted = ["tile/8/0/000", "tile/8/0/001.p/137", "tile/8/1/000.p/1", "tile/8/0/x999/999"];
  const ask = async (path: string) => (await get(around.product.url, `/sumdb/sum.example.com/${path}`)).status;
  assert.deepEqual(await Promise.all(wanted.map(ask)), [200, 200, 200, 404]);
  assert.deepEqual([await ask("tile/8/0/x999/998"), await ask("tile/8/5/000.p/1")], [404, 404]);
  assert.equal(around.sumdb.count("/latest"), 1);
  assert.equal(around.sumdb.requests.filter(({ path }) => path.includes("x999") || path.includes("/5/")).length, 0);
});

test("a database that is down: what is new is refused, what is stored is served", async (t) => {
  const around = await world(t);
  await assertServed(around, first);
  around.sumdb.otherwise(() => ({ status: 503 }));
  await assertRefused(around, second, 502, /checksum database sum\.example\.com cannot be asked/);
  await assertServed(around, first);
  for (const path of [`lookup/${first.path}@${first.version}`, "latest", "tile/8/0/000"]) {
    const answer = await get(around.product.url, `/sumdb/sum.example.com/${path}`);
    assert.equal(answer.status, 200, path);
  }
  around.show(around.database);
  await assertServed(around, second);
});

for (const kind of ["mod", "zip"] as const) {
  test(`a ${kind} that differs from the database is refused with an alarm, and the true one is taken later`, async (t) => {
    const around = await world(t);
    const liar = moduleFixture(second.path, second.version, "package evil\n");
    const forged = kind === "zip" ? liar.zip : Buffer.from(`${second.mod}// and more\n`);
    around.upstream.on(filePath(second, kind), { body: forged });
    const answer = await get(around.product.url, filePath(second, kind));
    assert.equal(answer.status, 403);
    assert.match(answer.body.toString(), /SECURITY ERROR: the .* differs from the checksum database/);
    assert.ok(around.product.warnings.some((line) => line.startsWith("checksum-mismatch")));
    assert.deepEqual(
      storedKeys(around.data).filter((each) => each.endsWith(`/@v/v1.0.0.${kind}`)),
      [],
    );
    around.upstream.on(filePath(second, kind), { body: second[kind] });
    assert.deepEqual((await get(around.product.url, filePath(second, kind))).body, Buffer.from(second[kind]));
  });
}

test("two heads that disagree stop every fill of a public module, also after a restart, until an operator decides", async (t) => {
  const around = await world(t, { private: "corp.example" });
  await assertServed(around, first);
  // Of the second module only the small files: even of what was verified before, nothing new is fetched.
  assert.equal((await get(around.product.url, filePath(second, "mod"))).status, 200);
  const other = await logOf("elsewhere.example", [first, second, third]);
  await addFixture(other, moduleFixture("example.com/fourth"));
  around.show(other);
  await assertRefused(around, third, 502, /SECURITY ERROR/);
  assert.ok(around.product.warnings.some((line) => line.startsWith("checksum-fork")));

  around.show(around.database);
  await assertRefused(around, third, 502, /no public module is fetched until an operator runs: modfront log fork/);
  assert.equal((await get(around.product.url, filePath(second, "zip"))).status, 502);
  assert.equal((await get(around.product.url, filePath(first, "zip"))).status, 200, "what is stored is served");
  assert.deepEqual(await log(around, []), [1, 393, 394]);

  const again = await startProduct({ data: around.data, config: around.config });
  t.after(() => again.stop());
  const restarted = { ...around, product: again };
  await assertRefused(restarted, third, 502, /modfront log fork/);
  assert.deepEqual(await log(around, ["--keep-ours"]), [0, 393, 394]);
  await assertServed(restarted, third);
  await assertServed(around, second);
  assert.deepEqual(await log(around, []), [0, 393, 394], "the evidence is kept");
});

/** Runs `modfront log fork`; its exit code and the sizes of the heads it shows. */
async function log({ data, config }: World, flags: readonly string[]): Promise<readonly unknown[]> {
  const file = join(data, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const script = join(import.meta.dirname, "../../bin/modfront.ts");
  const args = [script, "log", "fork", "--data", data, "--config", file, ...flags];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return [status, ...[...stdout.matchAll(/go\.sum database tree\n(\d+)\n/g)].map(([, size]) => Number(size))];
}

test("private modules are filled after a fork, and no public name leaves for them", async (t) => {
  const corp = moduleFixture("corp.example/m");
  const around = await world(t, { private: "corp.example" });
  const upstreams = (around.config as { upstreams: object[] }).upstreams;
  const own = await ScriptedUpstream.start();
  t.after(() => own.close());
  for (const kind of ["info", "mod", "zip"] as const) own.on(filePath(corp, kind), { body: corp[kind] });
  const config = { ...around.config, upstreams: [{ patterns: ["corp.example"], chain: own.url }, ...upstreams] };
  await assertServed(around, first);
  around.show(await logOf("elsewhere.example", [first, second, third]));
  await assertRefused(around, second, 502, /SECURITY ERROR/);
  const product = await startProduct({ data: around.data, config });
  t.after(() => product.stop());
  await assertServed({ ...around, product }, corp);
  for (const path of [`${versionsPath(corp)}/list`, `/sumdb/sum.example.com/lookup/${corp.path}@${corp.version}`]) {
    await get(product.url, path);
  }
  const named = ({ target }: RecordedRequest) => target.includes("corp.example");
  assert.deepEqual([...around.upstream.requests, ...around.sumdb.requests].filter(named), []);
});
