import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hashGoMod } from "../../lambda/golang/dirhash.ts";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { type FailpointName, failpoints } from "../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { openOwnLog } from "../../lambda/local/data/opened-log.ts";
import { SqliteClaimStore } from "../../lambda/local/data/sqlite-claim-store.ts";
import { sha256 } from "../../lambda/proxy/intake/claims.ts";
import { systemClock } from "../../lambda/runtime/system-clock.ts";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { dataFolder } from "../support/data-folder.ts";
import { serveDatabase } from "../support/database-server.ts";
import { eventually } from "../support/eventually.ts";
import { addFixture, filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { get, startProduct, storedKeys, temporaryNames, untilSigned } from "../support/product.ts";
import { ProductProcess } from "../support/product-process.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// kill -9 of the product at each write boundary while it fills a zip, and what the next start makes of what it left.

const module = moduleFixture("example.com/m");
const zip = filePath(module, "zip");
const list = `${versionsPath(module)}/list`;

interface World {
  readonly upstream: ScriptedUpstream;
  readonly config: object;
}

async function world(t: TestContext, own: boolean): Promise<World> {
  const [upstream, sumdb] = await Promise.all([ScriptedUpstream.start(), ScriptedUpstream.start()]);
  t.after(() => Promise.all([upstream.close(), sumdb.close()]));
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  upstream.on(list, { status: 501 });
  const database = new ChecksumDatabase();
  await database.add("example.com/other", 300);
  await addFixture(database, module);
  sumdb.otherwise(serveDatabase(database));
  const config = {
    upstreams: [{ patterns: ["example.com", "*"], chain: upstream.url }],
    private: own ? "example.com" : [],
    sumdb: { name: database.vkey, url: sumdb.url },
  };
  return { upstream, config };
}

type Times = Partial<Record<FailpointName, readonly number[]>>;

/** How often a fill of a public zip gets to each boundary; the order among parallel parts is left open. */
const publicTimes: Times = {
  // Tiles, the lookup, both small files, the zip.
  "store.create.before": [1, 6],
  "store.create.written": [1, 6],
  "store.create.linked": [1, 2, 3, 4, 5, 6],
  "store.create.after": [1, 6],
  "index.addVersion.before": [1, 3],
  "index.addVersion.after": [1, 3],
  "lease.acquire.after": [1, 3],
};

/** The same of a private one, to which claims and the removal of what is staged belong, and no head. */
const privateTimes: Times = {
  // Three files staged, the copies of the log's head and of the record, three stored.
  "store.create.before": [1, 3, 4, 6, 8],
  "store.create.written": [1, 4, 5, 8],
  "store.create.linked": [1, 2, 3, 4, 5, 6, 7, 8],
  "store.create.after": [1, 3, 5, 6, 8],
  "store.remove.before": [1, 3],
  "store.remove.removed": [1, 3],
  "store.remove.after": [1, 3],
};

/** What a fill does not get to: reindexing, migrating, taking versions away, for a public one the log; and what is the same for a private one. */
const elsewhere = {
  public:
    /^(audit|credential|ruling|reindex|log|pending|signed|claim|store\.remove|index\.(migrate|setFlag|removeVersion))\./,
  private:
    /^(audit|credential|ruling|reindex|pending\.remove|head|lease|index\.(migrate|setFlag|removeVersion|remember))\./,
} as const;

function rowsOf(plane: "public" | "private", times: Times) {
  const reached = failpoints.filter((name) => !elsewhere[plane].test(name));
  return reached.flatMap((dieAt) => (times[dieAt] ?? [1]).map((dieOn) => ({ plane, dieAt, dieOn })));
}

const rows = [...rowsOf("public", publicTimes), ...rowsOf("private", privateTimes)];

/** What a dead process may leave of a private version: files under its keys only beside claim and signed record of them. */
async function checkClaim(data: string, stored: readonly string[]): Promise<void> {
  const database = openIndexDatabase(join(data, indexFile));
  const claim = await new SqliteClaimStore(database).read(module);
  const files = await DirectoryModuleStore.open(data, 0);
  const log = openOwnLog({ database, files, key: await openLogKey(data), name: undefined, clock: systemClock });
  const logged = await log.reads.lookup(module);
  database.close();
  assert.ok((claim !== undefined && logged !== undefined) || stored.length === 0, `without claim or record: ${stored}`);
  const text = `${module.path} v1.0.0 ${claim?.zip}\n${module.path} v1.0.0/go.mod ${claim?.goMod}\n`;
  if (logged !== undefined) assert.equal(Buffer.from(logged.text).toString(), text);
  const info = stored.find((key) => key.endsWith(".info"));
  if (info !== undefined) assert.equal(sha256(readFileSync(join(data, "mod", info))), claim?.info);
  if (claim !== undefined) assert.equal(claim.goMod, hashGoMod(module.mod));
}

/** A data folder whose log has its first head, so that a start writes nothing and a fill comes to each boundary first. */
async function begunFolder(t: TestContext): Promise<string> {
  const data = dataFolder(t);
  const product = await startProduct({ data, config: {} });
  await untilSigned(product.url);
  await product.stop();
  return data;
}

/** Makes the child get to the boundary. */
async function provoke(child: ProductProcess, { upstream }: World, dieAt: FailpointName): Promise<void> {
  if (dieAt.startsWith("lease.renew")) upstream.on(zip, { body: module.zip, delay: 3500 }, { body: module.zip });
  if (dieAt.startsWith("index.remember")) upstream.on(list, { body: "v1.0.0\n" }, { status: 501 });
  await get(child.url, dieAt.startsWith("index.remember") ? list : zip).catch(() => {});
}

test("killed at any write boundary", { concurrency: 4 }, async (t) => {
  const begun = await begunFolder(t);
  await Promise.all(
    rows.map(({ plane, dieAt, dieOn }) =>
      t.test(`${plane}: ${dieAt}, the ${dieOn}. time: the next start serves and lists everything`, async (t) => {
        const own = plane === "private";
        const data = dataFolder(t);
        cpSync(begun, data, { recursive: true });
        const around = await world(t, own);
        const child = await ProductProcess.start({ data, config: around.config, dieAt, dieOn });
        t.after(() => child.kill());
        await provoke(child, around, dieAt);
        assert.equal(await Promise.race([child.ended, sleep(1000, "alive", { ref: false })]), "SIGKILL");

        const stored = storedKeys(data).filter((key) => key.startsWith("example.com/m/"));
        if (own) await checkClaim(data, stored);

        const product = await startProduct({ data, config: around.config, ahead: 15_000 });
        t.after(() => product.stop());
        await eventually(() => temporaryNames(data).length === 0);
        const listed = await get(product.url, list);
        const visible = own ? stored.length === 3 : stored.length > 0;
        const known = visible || dieAt === "index.remember.after";
        assert.equal(listed.status === 200 && listed.body.toString() === "v1.0.0\n", known, String(stored));
        for (const kind of ["zip", "mod"] as const) {
          const answer = await get(product.url, filePath(module, kind));
          assert.deepEqual([answer.status, answer.body.equals(module[kind])], [200, true], kind);
        }
        assert.equal((await get(product.url, filePath(module, "info"))).status, 200);
        assert.equal((await get(product.url, list)).body.toString(), "v1.0.0\n");
        await eventually(() => temporaryNames(data).length === 0);
      }),
    ),
  );
});
