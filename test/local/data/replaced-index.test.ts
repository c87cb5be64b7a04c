import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { emptyHash } from "../../../lambda/golang/tlog.ts";
import { openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { SqliteLogStore } from "../../../lambda/local/data/sqlite-log-store.ts";
import { SqliteSignedHeads } from "../../../lambda/local/data/sqlite-signed-heads.ts";
import { dataFolder } from "../../support/data-folder.ts";

test("a process whose index was taken away or replaced neither appends nor signs any more", async (t) => {
  const data = dataFolder(t);
  const path = join(data, "index.sqlite");
  const head = { epoch: 1n, role: "primary", mode: "solo", root: emptyHash } as const;
  const commit = (size: bigint) =>
    ({
      before: size === 1n ? undefined : { ...head, size: size - 1n },
      after: { ...head, size },
      rows: [],
      numbers: [{ module: { path: "corp.example/m", version: `v1.0.${size}` }, number: size - 1n }],
    }) as const;
  const database = openIndexDatabase(path);
  const [log, heads] = [new SqliteLogStore(database), new SqliteSignedHeads(database)];
  assert.equal(await log.commit(commit(1n)), "committed");
  const refused = { code: "store-failed", message: /replaced while modfront ran/ };
  const move = (from: string, to: string) => {
    for (const part of ["", "-wal", "-shm"]) renameSync(join(data, from + part), join(data, to + part));
  };
  move("index.sqlite", "away.sqlite");
  await assert.rejects(log.commit(commit(2n)), refused);
  const other = openIndexDatabase(path);
  await assert.rejects(log.commit(commit(2n)), refused);
  await assert.rejects(heads.grow("log.example", { size: 1n, note: new Uint8Array(1) }), refused);
  assert.equal((await log.head())?.size, 1n);
  other.close();
  move("away.sqlite", "index.sqlite");
  assert.equal(await log.commit(commit(2n)), "committed");
  database.close();
});
