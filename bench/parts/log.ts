import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { logSigner, openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { SqliteLogStore } from "../../lambda/local/data/sqlite-log-store.ts";
import { SqlitePendingRecords } from "../../lambda/local/data/sqlite-pending-records.ts";
import { SqliteSignedHeads } from "../../lambda/local/data/sqlite-signed-heads.ts";
import { defaultLogName } from "../../lambda/proxy/log/log-name.ts";
import { OwnLog } from "../../lambda/proxy/log/own-log.ts";
import type { LogRecord } from "../../lambda/proxy/store/log-store.ts";
import { systemClock } from "../../lambda/runtime/system-clock.ts";
import type { Bench } from "../part.ts";

// Appends to our own log on the disk of the folder, each waiting until a signed head covers it: by one caller, who appends
// one record after the other, and by many at the same moment, who share transactions and signatures.

const targets = [
  { name: "1 caller", callers: 1, each: 200 },
  { name: "32 callers", callers: 32, each: 50 },
  { name: "2000 callers", callers: 2000, each: 1 },
] as const;

export async function measureLog(bench: Bench): Promise<void> {
  const folder = join(bench.folder, "log");
  mkdirSync(folder, { recursive: true });
  const files = await DirectoryModuleStore.open(folder, 0);
  const database = openIndexDatabase(join(folder, indexFile));
  try {
    const key = await openLogKey(folder);
    const log = new OwnLog({
      store: new SqliteLogStore(database),
      pending: new SqlitePendingRecords(database),
      heads: new SqliteSignedHeads(database),
      files,
      signer: logSigner(key, defaultLogName(key.publicKey)),
      clock: systemClock,
    });
    await log.append([recordOf("first")]);
    for (let round = 0; round < bench.rounds; round++) {
      for (const { name, callers, each } of targets) {
        const started = performance.now();
        await Promise.all(Array.from({ length: callers }, (_, i) => appendAll(log, `${round}.${callers}.${i}`, each)));
        const seconds = (performance.now() - started) / 1000;
        bench.add("appends that a signed head covers", name, { "appends/s": (callers * each) / seconds });
      }
    }
  } finally {
    database.close();
  }
}

async function appendAll(log: OwnLog, caller: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await log.append([recordOf(`${caller}.${i}`)]);
}

function recordOf(name: string): LogRecord {
  const hash = `h1:${createHash("sha256").update(name).digest("base64")}`;
  return { module: { path: `example.com/m${name}`, version: "v1.0.0" }, zip: hash, goMod: hash, proof: undefined };
}
