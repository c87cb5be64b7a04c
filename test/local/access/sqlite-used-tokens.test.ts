import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { SqliteUsedTokens } from "../../../lambda/local/access/sqlite-used-tokens.ts";
import { openTokenDatabase } from "../../../lambda/local/access/token-database.ts";
import { usedTokensContract } from "../../contract/used-tokens.ts";
import { dataFolder, makeDataFolder } from "../../support/data-folder.ts";

const ends: (() => void)[] = [];
after(() => {
  for (const end of ends.reverse()) end();
});

usedTokensContract("SqliteUsedTokens", async () => {
  const { path, remove } = makeDataFolder();
  ends.push(remove);
  const open = () => {
    const store = new SqliteUsedTokens(path, () => 1_900_000_000);
    ends.push(() => store.close());
    return store;
  };
  return { store: open(), reopen: async () => open() };
});

test("what has ended is removed as others come, and what has not is not", async (t) => {
  const data = dataFolder(t);
  let now = 1000;
  const used = new SqliteUsedTokens(data, () => now);
  t.after(() => used.close());
  for (let i = 0; i < 150; i++) await used.use(`short ${i}`, 1010);
  await used.use("long", 2000);
  now = 1500;
  for (const id of ["x", "y", "z"]) await used.use(id, 2000);
  assert.equal(await used.use("long", 2000), false);
  const database = openTokenDatabase(data);
  t.after(() => database.close());
  assert.equal(database.prepare("SELECT count(*) AS n FROM used_id_token").get()?.n, 4);
});

test("a data folder of before this table gets it, and keeps its tokens", async (t) => {
  const data = dataFolder(t);
  const before = openTokenDatabase(data);
  before.exec("DROP TABLE used_id_token; DROP TABLE ended_channel; PRAGMA user_version = 1");
  before.prepare("INSERT INTO signing_key (place, id, secret) VALUES (0, 'abc', 'secret')").run();
  before.close();
  const used = new SqliteUsedTokens(data, () => 0);
  t.after(() => used.close());
  assert.equal(await used.use("a", 10), true);
  const store = new SqliteTokenStore(data);
  t.after(() => store.close());
  assert.deepEqual((await store.readKeys()).keys, [{ id: "abc", secret: "secret" }]);
});
