import { join } from "node:path";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { type Failpoint, noFailpoint } from "../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { logSigner, openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { SqliteLogMending } from "../../lambda/local/data/sqlite-log-mending.ts";
import { SqliteLogStore } from "../../lambda/local/data/sqlite-log-store.ts";
import { SqlitePendingRecords } from "../../lambda/local/data/sqlite-pending-records.ts";
import { SqliteSignedHeads } from "../../lambda/local/data/sqlite-signed-heads.ts";
import { defaultLogName } from "../../lambda/proxy/log/log-name.ts";
import { OwnLog } from "../../lambda/proxy/log/own-log.ts";
import { OwnLogReads } from "../../lambda/proxy/log/own-log-reads.ts";
import type { LogStore } from "../../lambda/proxy/store/log-store.ts";
import { systemClock } from "../../lambda/runtime/system-clock.ts";

/** The log of a data folder with all it stands on, as a process of one machine has it; commits and signatures are counted. */
export async function openLocalLog(
  data: string,
  { failpoint = noFailpoint as Failpoint, name = undefined as string | undefined, copies = false } = {},
) {
  const files = await DirectoryModuleStore.open(data, 0, failpoint);
  const database = openIndexDatabase(join(data, indexFile));
  const key = await openLogKey(data);
  const signer = logSigner(key, name ?? defaultLogName(key.publicKey));
  const store = new SqliteLogStore(database, failpoint);
  const heads = new SqliteSignedHeads(database, failpoint);
  const pending = new SqlitePendingRecords(database, failpoint);
  const counts = { committed: 0, lost: 0, signed: 0 };
  const counted: LogStore = {
    head: () => store.head(),
    numbers: (modules) => store.numbers(modules),
    rows: (places) => store.rows(places),
    range: (level, from, to) => store.range(level, from, to),
    commit: async (commit) => {
      const outcome = await store.commit(commit);
      counts[outcome === "committed" ? "committed" : "lost"]++;
      return outcome;
    },
  };
  const sign = (message: Uint8Array) => {
    counts.signed++;
    return signer.sign(message);
  };
  const clock = systemClock;
  const mending = new SqliteLogMending(database);
  const log = new OwnLog({
    store: counted,
    pending,
    heads,
    files,
    signer: { ...signer, sign },
    clock,
    copies,
    mending,
  });
  const reads = new OwnLogReads({ store, heads, files, verifierKey: signer.verifierKey, clock });
  return { log, reads, store, heads, pending, files, signer, counts, database };
}
