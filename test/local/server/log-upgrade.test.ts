import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { hashGoMod, hashZip } from "../../../lambda/golang/dirhash.ts";
import { indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { logKeyFile } from "../../../lambda/local/data/log-key-file.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { FrontDoor } from "../../support/front-door.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { get, type Product, startProduct } from "../../support/product.ts";
import { temporaryFile } from "../../support/zip-file.ts";

// Data folders from before there was a log, or whose index is gone: the next start serves them at once, and logs what is
// stored behind the answers, without asking anybody.

const path = "corp.example/Upper";
const pseudo = "v0.0.0-20240102030405-abcdefabcdef";
const whole = ["v1.0.0", pseudo].map((version) => moduleFixture(path, version));
const list = `${versionsPath({ path })}/list`;
const config = { upstreams: [{ patterns: ["corp.example"], chain: "off" }], private: ["corp.example"] };

/** Two private versions with all their files and one without a zip, as the first schema of the index had them: no claims. */
function oldFolder(t: TestContext): string {
  const data = dataFolder(t);
  cpSync(join(import.meta.dirname, "../data/testdata/schema-1"), data, { recursive: true });
  return data;
}

async function start(t: TestContext, data: string, settings: object = config): Promise<Product> {
  const product = await startProduct({ data, config: settings });
  t.after(() => product.stop());
  return product;
}

/** How many records are signed; none where there is no head yet. */
async function sizeOf(product: Product): Promise<number> {
  const [name] = (await get(product.url, "/-/gosumdb")).body.toString().split("+");
  const { status, body } = await get(product.url, `/sumdb/${name}/latest`);
  return status === 200 ? Number(body.toString().split("\n")[1]) : -1;
}

/** The record of a version, where it is in the log without anybody looking it up. */
async function recordOf(product: Product, module: ModuleFixture, size: number): Promise<string | undefined> {
  const [name] = (await get(product.url, "/-/gosumdb")).body.toString().split("+");
  const { body } = await get(product.url, `/sumdb/${name}/tile/8/data/000.p/${size}`);
  return body
    .toString()
    .split("\n\n")
    .find((text) => text.startsWith(`${module.path} ${module.version} `));
}

async function trueRecord({ path, version, mod, zip }: ModuleFixture): Promise<string> {
  const zipHash = await hashZip(temporaryFile(zip));
  return `${path} ${version} ${zipHash}\n${path} ${version}/go.mod ${hashGoMod(mod)}`;
}

const lines = (product: Product) => product.warnings.filter((line) => !line.startsWith("the data folder was open"));

test("a data folder of the first schema is served at once, and what is whole is claimed and logged behind", async (t) => {
  const data = oldFolder(t);
  const product = await start(t, data);
  assert.equal((await get(product.url, list)).body.toString(), "v1.0.0\nv1.1.0\n");
  await eventually(async () => (await sizeOf(product)) === 2);
  for (const module of whole) assert.equal(await recordOf(product, module, 2), await trueRecord(module));
  await eventually(() => lines(product).includes("2 versions that were stored before are in the log now"));
  await product.stop();
  const claims = new DatabaseSync(join(data, indexFile), { readOnly: true });
  assert.equal(claims.prepare("SELECT count(*) AS n FROM claim").get()?.n, 2);
  claims.close();
  // Done once.
  const again = await start(t, data);
  assert.equal((await get(again.url, filePath({ path, version: "v1.0.0" }, "zip"))).status, 200);
  await again.stop();
  assert.deepEqual(lines(again), []);
});

test("without its index, whole versions are visible once they are logged, by the next start and after modfront reindex", async (t) => {
  for (const reindexed of [false, true]) {
    const data = oldFolder(t);
    rmSync(join(data, indexFile));
    if (reindexed) {
      const { stdout, code } = await runCli(["reindex", "--data", data], {
        environment: { MODFRONT_CONFIG: configFile(t) },
      });
      assert.deepEqual(
        [code, stdout],
        [0, "0 versions: 0 added, 0 removed\n2 private versions are visible when the next start has logged them\n"],
      );
    }
    const product = await start(t, data);
    await eventually(async () => (await get(product.url, list)).body.toString() === "v1.0.0\n");
    assert.equal(await sizeOf(product), 2);
    for (const module of whole) assert.equal(await recordOf(product, module, 2), await trueRecord(module));
  }
});

test("public versions are listed where the log of a lost index is not by its key, and where a reindex was cut off", async () => {
  const module = moduleFixture("example.com/m");
  await using door = await FrontDoor.start({ log: { name: "sums.corp.example" } });
  await door.publish(module);
  assert.equal(await door.status(filePath(module, "zip")), 200);
  await door.stop();
  const settings = { upstreams: [{ patterns: "*", chain: "off" }], sumdb: { name: "off" } };
  const listed = async (name: string) => {
    const product = await startProduct({ data: door.data, config: { ...settings, log: { name } } });
    const { body } = await get(product.url, `${versionsPath(module)}/list`);
    await product.stop();
    return body.toString();
  };
  const lose = () => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(door.data, indexFile) + suffix, { force: true });
  };
  lose();
  openIndexDatabase(join(door.data, indexFile)).close();
  assert.equal(await listed("sums.corp.example"), "v1.0.0\n");
  lose();
  rmSync(join(door.data, logKeyFile));
  assert.equal(await listed("sums.corp.example"), "v1.0.0\n");
});

function configFile(t: TestContext): string {
  const file = join(dataFolder(t), "modfront.config.json");
  writeFileSync(file, JSON.stringify(config));
  return file;
}

test("public versions from before are logged by the proofs that are kept, with nobody there to ask", async (t) => {
  const modules = Array.from({ length: 30 }, (_, i) => moduleFixture(`example.com/m${i}`));
  await using door = await FrontDoor.start();
  for (const module of modules) await door.publish(module);
  for (const module of modules) assert.equal(await door.status(filePath(module, "mod")), 200);
  const data = dataFolder(t);
  await door.stop();
  cpSync(door.data, data, { recursive: true });
  // As if there had been no log.
  const index = new DatabaseSync(join(data, indexFile));
  for (const table of ["row", "head", "number", "pending", "signed"]) index.exec(`DELETE FROM log_${table}`);
  index.close();
  rmSync(join(data, "mod/-/log"), { recursive: true });
  rmSync(join(data, logKeyFile));
  const product = await start(t, data, {
    upstreams: [{ patterns: "*", chain: "off" }],
    sumdb: { name: door.database.vkey },
  });
  await eventually(async () => (await sizeOf(product)) === 30);
  for (const module of modules) assert.equal(await recordOf(product, module, 30), await trueRecord(module));
  await product.stop();
  const rows = new DatabaseSync(join(data, indexFile), { readOnly: true });
  const proved = rows.prepare("SELECT count(*) AS n FROM log_row WHERE level = 0 AND proof_head IS NOT NULL").get();
  assert.equal(proved?.n, 30, "with its number in the other database and the head that proved it");
  rows.close();
});
