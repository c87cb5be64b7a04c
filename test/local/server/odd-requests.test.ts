import assert from "node:assert/strict";
import { test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { FrontDoor } from "../../support/front-door.ts";
import { filePath, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { basic } from "../../support/tokens.ts";

// What a client may send and hardly any does: one machine answers as the edge of a deployment would.

test("credentials that come twice are none, whichever comes first", async () => {
  await using door = await FrontDoor.start({ access: { anonymous: "none" } });
  const store = new SqliteTokenStore(door.data);
  const request = { subject: "s", role: "operator", modules: "*", days: 1 } as const;
  const { token } = await createToken(store, request, Math.floor(Date.now() / 1000));
  const module = moduleFixture("example.com/m");
  await door.publish(module);
  const [good, bad] = [basic(token), basic("mf_x")];
  for (const path of [filePath(module, "mod"), "/-/metrics", "/"]) {
    const status = async (authorization: string | string[]) =>
      Number((await door.ask({ path, headers: { authorization } })).slice(0, 3));
    assert.equal(await status(good), 200, path);
    for (const pair of [
      [good, bad],
      [bad, good],
      [good, good],
    ])
      assert.equal(await status(pair), 401, path);
  }
});

test("a branch whose name has a percent sign is asked for, and is not the one that another spelling names", async () => {
  await using door = await FrontDoor.start();
  const module = moduleFixture("example.com/m");
  await door.publish(module);
  const queries = versionsPath(module);
  for (const name of ["100%", "a%20b", "a b"]) door.open.on(`${queries}/${name}.info`, { body: module.info });
  // The last one is the second again: a name is asked for once, and then remembered under itself alone.
  for (const name of ["100%25", "a%2520b", "a%20b", "a%2520b"])
    assert.match(await door.ask(`${queries}/${name}.info`), /^200\n/, name);
  const targets = door.open.requests.map(({ target }) => target).filter((target) => target.includes("%"));
  assert.deepEqual(targets, [`${queries}/100%25.info`, `${queries}/a%2520b.info`, `${queries}/a%20b.info`]);
  for (const name of ["100%", "100%2525%", "a%2fb", "a%3fb"]) {
    assert.equal(await door.status(`${queries}/${name}.info`), 400, name);
    assert.equal(await door.status(`${queries}/${name}.zip`), 400, name);
  }
});
