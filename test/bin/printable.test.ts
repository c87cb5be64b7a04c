import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { login } from "../../bin/verbs/login.ts";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";

test("what a server answers moves no cursor of the terminal that doctor prints it to", async (t) => {
  const server = createServer((_, response) => response.writeHead(401).end("\u001b[2J\u009b1mgo away\u202e\r\n"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { HOME: dataFolder(t) };
  const doctor = await runCli(["doctor", url], { environment });
  assert.match(doctor.stdout, /^FAIL {2}it is up: answered 401 instead of 200: \?\[2J\?1mgo away\?\?$/m);
});

test("nor does it where login prints why a token was refused", async (t) => {
  t.mock.method(globalThis, "fetch", async () => new Response("\u001b[2Jno\u202e\n", { status: 401 }));
  const notes: string[] = [];
  const terminal = {
    print: assert.fail,
    progress: assert.fail,
    write: assert.fail,
    note: (line: string) => notes.push(line),
    readSecret: async () => `mf_a.${"b".repeat(43)}`,
    readLine: async () => "",
    environment: { HOME: dataFolder(t) },
    platform: process.platform,
    now: () => 0,
  };
  assert.equal(await login.run(["--token", "https://proxy.example"], terminal), 1);
  assert.deepEqual(notes, ["https://proxy.example refuses it: ?[2Jno?"]);
});
