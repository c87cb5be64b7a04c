import { join } from "node:path";
import { type AuditDatabase, auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { SqliteClaimStore } from "../../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../../../lambda/local/data/sqlite-lease-store.ts";
import { SqliteLogStore } from "../../../lambda/local/data/sqlite-log-store.ts";
import { SqlitePendingRecords } from "../../../lambda/local/data/sqlite-pending-records.ts";
import { SqliteSignedHeads } from "../../../lambda/local/data/sqlite-signed-heads.ts";
import { SqliteTreeHeadStore } from "../../../lambda/local/data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../../../lambda/local/data/sqlite-version-index.ts";
import { auditLogContract } from "../../contract/audit-log.ts";
import { claimStoreContract } from "../../contract/claim-store.ts";
import { leaseStoreContract } from "../../contract/lease-store.ts";
import { logStoreContract, signedHeadsContract } from "../../contract/log-store.ts";
import { moduleStoreContract } from "../../contract/module-store.ts";
import type { Open } from "../../contract/opened.ts";
import { headStoreContract } from "../../contract/tree-head-store.ts";
import { versionIndexContract } from "../../contract/version-index.ts";
import { makeDataFolder } from "../../support/data-folder.ts";
import { together } from "../../support/log-parts.ts";

moduleStoreContract("DirectoryModuleStore", async () => {
  const { path, remove } = makeDataFolder();
  const open = () => DirectoryModuleStore.open(path, 0);
  return { store: await open(), reopen: open, close: async () => remove() };
});

/** Opens an adapter over a new database, and a second time over connections of its own. */
function overDatabase<T>(adapter: (database: IndexDatabase) => T): Open<T> {
  return async () => {
    const { path, remove } = makeDataFolder();
    const databases: IndexDatabase[] = [];
    const open = async () => {
      const database = openIndexDatabase(join(path, indexFile));
      databases.push(database);
      return adapter(database);
    };
    const close = async () => {
      for (const database of databases) database.close();
      remove();
    };
    return { store: await open(), reopen: open, close };
  };
}

versionIndexContract(
  "SqliteVersionIndex",
  overDatabase((database) => new SqliteVersionIndex(database)),
);
leaseStoreContract(
  "SqliteLeaseStore",
  overDatabase((database) => new SqliteLeaseStore(database)),
);
headStoreContract(
  "SqliteTreeHeadStore",
  overDatabase((database) => new SqliteTreeHeadStore(database)),
);
claimStoreContract(
  "SqliteClaimStore",
  overDatabase((database) => new SqliteClaimStore(database)),
);
logStoreContract(
  "SqliteLogStore with SqlitePendingRecords",
  overDatabase((database) => together(new SqliteLogStore(database), new SqlitePendingRecords(database))),
);
signedHeadsContract(
  "SqliteSignedHeads",
  overDatabase((database) => new SqliteSignedHeads(database)),
);

auditLogContract("SqliteAuditLog", async () => {
  const { path, remove } = makeDataFolder();
  const databases: AuditDatabase[] = [];
  const open = async () => {
    const database = openAuditDatabase(join(path, auditFile));
    databases.push(database);
    return new SqliteAuditLog(database);
  };
  const close = async () => {
    for (const database of databases) database.close();
    remove();
  };
  return { store: await open(), reopen: open, close };
});
