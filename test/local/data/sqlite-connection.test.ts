import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectTwice } from "../../../lambda/local/data/sqlite-connection.ts";
import { dataFolder } from "../../support/data-folder.ts";

test("both connections are closed once, however often they are closed", (t) => {
  const connections = connectTwice(join(dataFolder(t), "x.db"), (durable) => durable.exec("CREATE TABLE x (y)"));
  assert.equal(connections.quick.prepare("SELECT count(*) AS n FROM x").get()?.n, 0);
  connections.close();
  connections.close();
  assert.deepEqual([connections.quick.isOpen, connections.durable.isOpen], [false, false]);
});
