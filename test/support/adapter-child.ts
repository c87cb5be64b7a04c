import { join } from "node:path";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { type Failpoint, type FailpointName, noFailpoint } from "../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { reindex } from "../../lambda/local/data/reindex.ts";
import { SqliteClaimStore } from "../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../../lambda/local/data/sqlite-lease-store.ts";
import { SqliteTreeHeadStore } from "../../lambda/local/data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../../lambda/local/data/sqlite-version-index.ts";
import type { Call, ChildTask } from "./local-process.ts";

// Another process on a data folder: opens the local adapters, says "ready", waits for a line, makes the calls it was
// given and prints their results. At the failpoint it was given it dies as kill -9 would have it.

const task = JSON.parse(process.argv[2] ?? "") as ChildTask;

function dieAt(name: FailpointName): Failpoint {
  return (reached) => {
    if (reached === name) process.kill(process.pid, "SIGKILL");
  };
}

const failpoint = task.dieAt === undefined ? noFailpoint : dieAt(task.dieAt);

/** Bytes travel as text. */
const bytes = (text: unknown) => (typeof text === "string" ? Buffer.from(text) : undefined);

async function openAdapters() {
  const store = await DirectoryModuleStore.open(task.data, 0, failpoint);
  const database = openIndexDatabase(join(task.data, indexFile), failpoint);
  const index = new SqliteVersionIndex(database, failpoint);
  const leases = new SqliteLeaseStore(database, failpoint);
  const claims = new SqliteClaimStore(database, failpoint);
  const heads = new SqliteTreeHeadStore(database, failpoint);
  return async (call: Call): Promise<unknown> => {
    if (call[0] === "create") return await store.create(call[1], bytes(call[2]) ?? { path: call[3] ?? "" });
    if (call[0] === "addVersion") return await index.addVersion(call[1], call[2], 1, { zipSize: 1 });
    if (call[0] === "remove") return await store.remove(call[1]);
    if (call[0] === "setFlag") return await index.setFlag(call[1], call[2], call[3], true);
    if (call[0] === "removeVersion") return await index.removeVersion(call[1], call[2]);
    if (call[0] === "remember") return await index.remember(call[1], call[2], { text: call[3], freshUntil: 1 });
    if (call[0] === "acquire") return (await leases.acquire(call[1], call[2], call[3]))?.fence;
    if (call[0] === "renew") return await leases.renew(call[1], call[2], call[3]);
    if (call[0] === "release") return await leases.release(call[1], call[2], call[3]);
    if (call[0] === "claim") {
      const [, path, version, hash] = call;
      return await claims.claim({ path, version }, { zip: hash, goMod: hash, info: hash });
    }
    return await heads.replace(call[1], bytes(call[2]), Buffer.from(call[3]));
  };
}

const results: unknown[] = [];
if (task.calls === "reindex") {
  results.push(
    await reindex({ data: task.data, now: 0, readHead: () => undefined, isPrivate: () => false, failpoint }),
  );
} else {
  const carryOut = await openAdapters();
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  for (const call of task.calls) {
    try {
      results.push((await carryOut(call)) ?? null);
    } catch (error) {
      results.push({ thrown: (error as { code?: unknown }).code, message: String((error as Error).message) });
    }
  }
  process.stdin.destroy();
}
process.stdout.write(`${JSON.stringify(results)}\n`);
