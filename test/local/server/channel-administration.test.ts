import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { startProduct } from "../../support/product.ts";

const config = {
  upstreams: [{ patterns: "*", chain: "off" }],
  sumdb: { name: "off" },
  channels: { canary: { share: 0.1, header: { name: "X-Canary", value: "yes" } }, next: {} },
};

test("channels are shown, rolled back and restored by operators alone, and each change is in the audit log", async (t) => {
  const data = dataFolder(t);
  const store = new SqliteTokenStore(data);
  const now = Math.floor(Date.now() / 1000);
  const make = async (role: string) =>
    (await createToken(store, { subject: role, role, modules: "*", days: 1 }, now)).token;
  const [operator, viewer] = [await make("operator"), await make("viewer")];
  store.close();
  const product = await startProduct({ data, config: { ...config, access: { anonymous: "none" } } });
  t.after(() => product.stop());
  const ask = async (method: string, path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(product.url + path, { method, headers });
    return { status: response.status, text: await response.text() };
  };
  const header = { name: "x-canary", value: "yes" };
  const listed = await ask("GET", "/-/api/channels", operator);
  assert.deepEqual(JSON.parse(listed.text), {
    items: [
      { name: "canary", share: 0.1, header },
      { name: "next", share: 0 },
    ],
  });
  const path = "/-/api/channels/canary/rollback";
  for (const [method, address] of [
    ["GET", "/-/api/channels"],
    ["PUT", path],
    ["DELETE", path],
  ] as const) {
    assert.equal((await ask(method, address)).status, 401);
    assert.equal((await ask(method, address, viewer)).status, 403);
  }
  const unknown = await ask("PUT", "/-/api/channels/typo/rollback", operator);
  assert.deepEqual(unknown, {
    status: 404,
    text: "there is no channel of this name: modfront channel list shows them\n",
  });
  for (let round = 0; round < 2; round++) {
    const rolled = JSON.parse((await ask("PUT", path, operator)).text);
    assert.match(rolled.rolledBack, /^20\d\d-.*Z$/);
  }
  assert.deepEqual(JSON.parse((await ask("DELETE", path, operator)).text), { name: "canary", share: 0.1, header });
  await product.stop();
  const database = openAuditDatabase(join(data, auditFile));
  t.after(() => database.close());
  const question = { since: 0, until: Date.now() + 60_000, limit: 1000, after: undefined };
  const { events } = await new SqliteAuditLog(database).query(question);
  assert.deepEqual(
    events
      .filter(({ action }) => action.startsWith("channel."))
      .map(({ action, target, decision, subject }) => [action, target, decision, subject].join(" ")),
    [
      "channel.rollback canary intended operator",
      "channel.rollback canary done operator",
      "channel.restore canary intended operator",
      "channel.restore canary done operator",
    ],
    "doing it again is no change",
  );
});

test("the verb says what the server says, of a folder and of a running modfront", async (t) => {
  const data = dataFolder(t);
  const file = join(data, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const cli = (...args: string[]) => runCli(["channel", ...args, "--data", data, "--config", file]);
  const listed = await cli("list");
  assert.deepEqual(
    [listed.code, listed.stdout],
    [0, "canary\t0.1\tx-canary: yes\ton\nnext\t0\t-\ton\n"],
    listed.stderr,
  );
  const rolled = await cli("rollback", "canary");
  assert.deepEqual(
    [rolled.code, rolled.stdout, rolled.stderr],
    [0, "", "channel canary is the default one to everybody within seconds\n"],
  );
  assert.match((await cli("list")).stdout, /^canary\t0\.1\tx-canary: yes\trolled back 20\S+Z\n/);
  assert.match((await cli("rollback", "typo")).stderr, /there is no channel of this name/);
  assert.equal((await cli("shift")).code, 2);

  const store = new SqliteTokenStore(data);
  const request = { subject: "o", role: "operator", modules: "*", days: 1 };
  const { token } = await createToken(store, request, Math.floor(Date.now() / 1000));
  store.close();
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  const environment = { MODFRONT_TOKEN: token, HOME: data };
  const restored = await runCli(["channel", "restore", "canary", "--url", product.url, "--json"], { environment });
  assert.deepEqual(JSON.parse(restored.stdout), {
    name: "canary",
    share: 0.1,
    header: { name: "x-canary", value: "yes" },
  });
  assert.match((await cli("list")).stdout, /^canary\t0\.1\tx-canary: yes\ton\n/);
});
