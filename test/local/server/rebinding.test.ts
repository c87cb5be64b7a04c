import assert from "node:assert/strict";
import { test } from "node:test";
import { FrontDoor } from "../../support/front-door.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";

// DNS rebinding: a page of the web whose name leads to 127.0.0.1 may read nothing here, from whichever store or lane.

test("who names another host than this one gets nothing, ready or not", async () => {
  await using door = await FrontDoor.start({ access: { hosts: ["go.corp.example"] } });
  const module = moduleFixture("example.com/m");
  await door.publish(module);
  const { port } = new URL(door.url);
  const known = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "go.corp.example", "GO.corp.example:80"];
  // The second and third of each path are ready answers, in the lane and behind it.
  for (const path of [filePath(module, "zip"), filePath(module, "mod"), "/", "/-/metrics", "/-/ready"]) {
    for (const more of [{}, {}, { "x-other": "1" }]) {
      for (const host of known) {
        const answer = await door.ask({ path, headers: { host, ...more } });
        assert.match(answer, /^200\n/, `${host} ${path}`);
      }
      const answer = await door.ask({ path, headers: { host: `evil.example:${port}`, ...more } });
      assert.match(answer, /^403\n.*\n\nthis server is not known by this name: [^\n]*access\.hosts[^\n]*\n$/s, path);
      assert.match(answer, /^cache-control: no-store$/m);
    }
  }
});

test("where a token is asked for, names do not matter: there is nothing a page could read", async () => {
  await using door = await FrontDoor.start({ access: { anonymous: "none" } });
  assert.match(await door.ask({ path: "/-/live", headers: { host: "evil.example" } }), /^200\n/);
});
