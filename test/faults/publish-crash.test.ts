import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createToken } from "../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { SqliteClaimStore } from "../../lambda/local/data/sqlite-claim-store.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { zipOf } from "../support/module-fixture.ts";
import { startProduct, storedKeys, temporaryNames, untilSigned } from "../support/product.ts";
import { ProductProcess } from "../support/product-process.ts";

// kill -9 of the product at each write boundary while a version is published, and what sending it again comes to.

const module = { path: "corp.example/pay/lib", version: "v1.0.0" };
const address = `/-/publish/${module.path}/@v/${module.version}.zip`;
const config = {
  private: ["corp.example"],
  upstreams: [{ patterns: "*", chain: "off" }],
  sumdb: { name: "off" },
  access: { anonymous: "all" },
};

function zip(more: string): Buffer {
  const mod = Buffer.from(`module ${module.path}\n`);
  return zipOf({ ...module, mod }, [{ name: `${module.path}@v1.0.0/lib.go`, content: `package lib\n${more}` }]);
}

const ours = zip("");
const others = zip("// other\n");

/** How often a publication gets to boundaries; what lies between two of a pair is crash.test.ts's. */
const times: Readonly<Partial<Record<FailpointName, readonly number[]>>> = {
  "audit.write.after": [1],
  // The upload, the .info, three files staged, the copies of the log's head and of the record, three stored.
  "store.create.linked": [1, 2, 4, 5, 7, 8, 9, 10],
  "lease.acquire.after": [1],
  "claim.claim.before": [1],
  "claim.claim.after": [1],
  "log.commit.after": [1],
  "index.addVersion.before": [1],
  "index.addVersion.after": [1],
  // Three that were staged, and the upload.
  "store.remove.before": [1, 4],
  "lease.release.before": [1],
};

/** A data folder whose log has its first head, and a token that publishes. */
async function begun(t: TestContext): Promise<{ data: string; headers: Record<string, string> }> {
  const data = dataFolder(t);
  const product = await startProduct({ data, config });
  await untilSigned(product.url);
  await product.stop();
  const store = new SqliteTokenStore(data);
  const wanted = { subject: "ci", role: "publisher", modules: "corp.example", days: 1 } as const;
  const { token } = await createToken(store, wanted, Math.floor(Date.now() / 1000), { tenants: [] });
  store.close();
  return { data, headers: { authorization: `Bearer ${token}`, accept: "application/json" } };
}

async function isClaimed(data: string): Promise<boolean> {
  const database = openIndexDatabase(join(data, indexFile));
  const claim = await new SqliteClaimStore(database).read(module);
  database.close();
  return claim !== undefined;
}

test("killed at any write boundary of a publication", { concurrency: 4 }, async (t) => {
  const { data: first, headers } = await begun(t);
  const rows = Object.entries(times).flatMap(([dieAt, all]) => all.map((dieOn) => ({ dieAt, dieOn })));
  const put = async (url: string, body: Uint8Array) => {
    const answer = await fetch(url + address, { method: "PUT", headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  await Promise.all(
    rows.map(({ dieAt, dieOn }) =>
      t.test(
        `${dieAt}, the ${dieOn}. time: the same again is taken, and nothing else once it was claimed`,
        async (t) => {
          const data = dataFolder(t);
          cpSync(first, data, { recursive: true });
          const child = await ProductProcess.start({ data, config, dieAt: dieAt as FailpointName, dieOn });
          t.after(() => child.kill());
          await put(child.url, ours).catch(() => {});
          assert.equal(await Promise.race([child.ended, sleep(2000, "alive", { ref: false })]), "SIGKILL");

          const stored = storedKeys(data).filter((key) => key.startsWith(module.path));
          const claimed = await isClaimed(data);
          assert.ok(claimed || stored.length === 0, `without a claim: ${stored}`);
          const product = await startProduct({ data, config, ahead: 15_000 });
          t.after(() => product.stop());
          if (claimed) assert.equal((await put(product.url, others)).status, 409);
          const again = await put(product.url, ours);
          assert.ok(
            again.status === 201 || (again.status === 200 && stored.length === 3),
            `${again.status} ${again.text}`,
          );
          assert.equal((await put(product.url, ours)).status, 200);
          assert.equal((await put(product.url, others)).status, 409);
          const get = async (path: string) => (await fetch(`${product.url}/${module.path}${path}`)).arrayBuffer();
          assert.equal(Buffer.from(await get("/@v/list")).toString(), "v1.0.0\n");
          assert.ok(Buffer.from(await get("/@v/v1.0.0.zip")).equals(ours));
          assert.equal(JSON.parse(Buffer.from(await get("/@latest")).toString()).Version, "v1.0.0");
          await eventually(() => temporaryNames(data).length === 0);
          assert.ok(existsSync(join(data, "mod/-/published")));
        },
      ),
    ),
  );
});
