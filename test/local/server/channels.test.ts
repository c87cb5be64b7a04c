import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SqliteChannelStates } from "../../../lambda/local/access/sqlite-channel-states.ts";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { eventually } from "../../support/eventually.ts";
import { FrontDoor, script } from "../../support/front-door.ts";
import { addFixture, moduleFixture } from "../../support/module-fixture.ts";
import { get } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

const m = "/example.com/m/@v";

/** A door whose channel `canary` has another upstream; its lists are fresh for a minute. */
async function doorWith(
  more: object = {},
): Promise<{ door: FrontDoor; next: ScriptedUpstream; close(): Promise<void> }> {
  const next = await ScriptedUpstream.start();
  const upstreams = [
    { patterns: "*", chain: next.url },
    { patterns: "corp.example", chain: next.url },
  ];
  const header = { name: "x-canary", value: "yes" };
  const canary = { upstreams, header, rewrite: [{ from: "go.dev/v1", to: "example.com" }] };
  const door = await FrontDoor.start({ channels: { canary, ...more } });
  const close = async () => {
    await door[Symbol.asyncDispose]();
    await next.close();
  };
  return { door, next, close };
}

async function body(door: FrontDoor, path: string, headers = {}): Promise<string> {
  const got = await get(door.url, path, headers);
  return `${got.status} ${got.body}`;
}

test("lists, latest and queries are those of the channel's upstreams, in whatever order they are asked", async (t) => {
  const { door, next, close } = await doorWith();
  t.after(close);
  await door.publish(moduleFixture("example.com/m", "v1.0.0"));
  await door.publish(moduleFixture("example.com/m", "v1.1.0"));
  script(next, moduleFixture("example.com/m", "v1.1.0"));
  for (const [upstream, list, branch] of [
    [door.open, "v1.0.0\n", "v1.0.0"],
    [next, "v1.0.0\nv1.1.0\n", "v1.1.0"],
  ] as const) {
    upstream.on(`${m}/list`, { body: list });
    upstream.on(`${m}/main.info`, { body: JSON.stringify({ Version: branch, Time: "2024-01-02T03:04:05Z" }) });
  }
  for (let round = 0; round < 2; round++) {
    assert.equal(await body(door, `${m}/list`), "200 v1.0.0\n");
    assert.equal(await body(door, `/~canary${m}/list`), "200 v1.0.0\nv1.1.0\n");
    assert.equal(await body(door, `${m}/list`, { "x-canary": "yes" }), "200 v1.0.0\nv1.1.0\n");
    assert.equal(await body(door, `${m}/list`, { "x-modfront-channel": "canary" }), "200 v1.0.0\n");
    assert.match(await body(door, "/~canary/example.com/m/@latest"), /^200 .*"v1\.1\.0"/);
    assert.match(await body(door, "/example.com/m/@latest"), /^200 .*"v1\.0\.0"/);
    assert.match(await body(door, `/~canary${m}/main.info`), /^200 .*"v1\.1\.0"/);
    assert.match(await body(door, `${m}/main.info`), /^200 .*"v1\.0\.0"/);
  }
  // Each was asked once, in both rounds: the memories are apart and kept.
  for (const upstream of [door.open, next])
    for (const file of ["list", "main.info"]) assert.equal(upstream.count(`${m}/${file}`), 1);
  assert.equal(await body(door, `/~canary/go.dev/v1/m/@v/list`), "200 v1.0.0\nv1.1.0\n");
  assert.equal((await get(door.url, "/go.dev/v1/m/@v/list")).status, 404);
  await door.restart();
  assert.equal(await body(door, `/~canary${m}/list`), "200 v1.0.0\nv1.1.0\n");
  assert.equal(next.count(`${m}/list`), 1, "and by the next process too");
});

test("a version that only the channel's upstream has comes in through it, once, and is everybody's", async (t) => {
  const { door, next, close } = await doorWith();
  t.after(close);
  const module = moduleFixture("example.com/m", "v1.0.0");
  await addFixture(door.database, module);
  assert.equal((await get(door.url, `${m}/v1.0.0.zip`)).status, 404);
  script(next, module);
  const zip = await get(door.url, `/~canary${m}/v1.0.0.zip`);
  assert.deepEqual([zip.status, Buffer.compare(zip.body, module.zip)], [200, 0]);
  // That the default's upstream does not have it is remembered, and that it is stored counts.
  assert.equal((await get(door.url, `${m}/v1.0.0.zip`)).status, 200);
  assert.equal((await get(door.url, `/~canary${m}/v1.0.0.mod`)).status, 200);
  assert.equal(next.count(`${m}/v1.0.0.zip`), 1);
});

test("what the channel's upstream has in other bytes is not let in: by the checksum database, and by the first claim", async (t) => {
  const { door, next, close } = await doorWith();
  t.after(close);
  await door.publish(moduleFixture("example.com/m", "v1.0.0"));
  script(next, moduleFixture("example.com/m", "v1.0.0", "package other\n"));
  const forged = await body(door, `/~canary${m}/v1.0.0.zip`);
  assert.match(forged, /^403 /);
  const secret = moduleFixture("corp.example/s", "v1.0.0");
  script(door.corp, secret);
  assert.equal((await get(door.url, "/corp.example/s/@v/v1.0.0.zip")).status, 200);
  script(next, moduleFixture("corp.example/s", "v1.0.0", "package other\n"));
  const same = await get(door.url, "/~canary/corp.example/s/@v/v1.0.0.zip");
  assert.deepEqual([same.status, Buffer.compare(same.body, secret.zip)], [200, 0]);
  assert.equal(next.count("/corp.example/s/@v/v1.0.0.zip"), 0, "nobody was asked for what is stored");
});

test("a channel without rules for a private module does not lead it to a public upstream", async (t) => {
  const next = await ScriptedUpstream.start();
  const door = await FrontDoor.start({ channels: { canary: { upstreams: [{ patterns: "*", chain: next.url }] } } });
  t.after(async () => {
    await door[Symbol.asyncDispose]();
    await next.close();
  });
  script(door.corp, moduleFixture("corp.example/s", "v1.0.0"));
  door.corp.on("/corp.example/s/@v/list", { body: "v1.0.0\n" });
  assert.equal(await body(door, "/~canary/corp.example/s/@v/list"), "200 v1.0.0\n");
  assert.equal((await get(door.url, "/~canary/corp.example/s/@v/v1.0.0.zip")).status, 200);
  assert.equal((await get(door.url, "/~canary/corp.example/other/@v/list")).status, 404);
  assert.deepEqual(next.requests, []);
});

test("the checksum database is below the name of a channel where go asks for it", async (t) => {
  const { door, close } = await doorWith();
  t.after(close);
  const module = moduleFixture("example.com/m", "v1.0.0");
  await door.publish(module);
  const supported = await get(door.url, "/~canary/sumdb/sum.example.com/supported");
  assert.equal(supported.status, 200);
  const plain = await get(door.url, "/sumdb/sum.example.com/lookup/example.com/m@v1.0.0");
  const named = await get(door.url, "/~canary/sumdb/sum.example.com/lookup/example.com/m@v1.0.0");
  assert.deepEqual([named.status, named.body.toString()], [200, plain.body.toString()]);
});

test("rolled back, a channel is the default one within seconds, in a running process, and again after a restart", async (t) => {
  const { door, next, close } = await doorWith({ other: {} });
  t.after(close);
  door.open.on(`${m}/list`, { body: "v1.0.0\n" });
  next.on(`${m}/list`, { body: "v1.0.0\nv1.1.0\n" });
  const canary = () => body(door, `/~canary${m}/list`);
  const byHeader = () => body(door, `${m}/list`, { "x-canary": "yes" });
  assert.equal(await canary(), "200 v1.0.0\nv1.1.0\n");
  const states = new SqliteChannelStates(door.data, {});
  t.after(() => states.close());
  await states.end("canary", 1_800_000_000);
  await eventually(async () => (await canary()) === "200 v1.0.0\n");
  assert.equal(await byHeader(), "200 v1.0.0\n");
  assert.equal((await get(door.url, "/~canary/go.dev/v1/m/@v/list")).status, 404);
  await door.restart();
  assert.equal(await canary(), "200 v1.0.0\n");
  assert.equal(await body(door, `/~other${m}/list`), "200 v1.0.0\n");
  await states.restore("canary");
  await eventually(async () => (await canary()) === "200 v1.0.0\nv1.1.0\n");
  assert.equal(await byHeader(), "200 v1.0.0\nv1.1.0\n");
});

test("each side is counted, and a channel whose answers fail is rolled back by itself, which the audit log says", async (t) => {
  const { door, next, close } = await doorWith({ calm: {} });
  t.after(close);
  door.open.on(`${m}/list`, { body: "v1.0.0\n" });
  next.on(`${m}/list`, { body: "v1.0.0\nv1.1.0\n" });
  const counted = async (channel: string) => {
    const text = (await get(door.url, "/-/metrics")).body.toString();
    return ["requests", "refusals", "failures"].map((count) =>
      Number(new RegExp(`^modfront_channel_${count}_total{channel="${channel}"} (\\d+)$`, "m").exec(text)?.[1]),
    );
  };
  assert.deepEqual(await counted("canary"), [0, 0, 0]);
  for (let i = 0; i < 3; i++) assert.equal((await get(door.url, `/~canary${m}/list`)).status, 200);
  for (let i = 0; i < 2; i++) assert.equal((await get(door.url, `${m}/list`)).status, 200);
  assert.equal((await get(door.url, `/~calm${m}/list`)).status, 200);
  assert.equal((await get(door.url, `/~typo${m}/list`)).status, 404);
  assert.deepEqual(await counted("canary"), [3, 0, 0]);
  assert.deepEqual(await counted("calm"), [1, 0, 0]);
  assert.deepEqual(await counted("default"), [2, 0, 0]);

  next.otherwise(() => ({ status: 500 }));
  const failing = Array.from({ length: 20 }, (_, i) => get(door.url, `/~canary/example.com/x${i}/@v/list`));
  for (const { status } of await Promise.all(failing)) assert.equal(status, 502);
  await eventually(async () => (await body(door, `/~canary${m}/list`)) === "200 v1.0.0\n");
  assert.deepEqual(
    door.warnings.filter((line) => line.startsWith("channel ")),
    ["channel canary is rolled back, because its requests fail: modfront channel restore canary"],
  );
  const database = openAuditDatabase(join(door.data, auditFile));
  t.after(() => database.close());
  const question = { since: 0, until: Date.now() + 60_000, limit: 1000, after: undefined };
  const { events } = await new SqliteAuditLog(database).query(question);
  assert.deepEqual(
    events.map(({ action, target, decision, rule, subject }) => [action, target, decision, rule, subject].join(" ")),
    ["channel.rollback canary intended alarm modfront", "channel.rollback canary done alarm modfront"],
  );
});

test("a policy of a channel hides there, and keeps out, what the default shows and lets in, and never lets in more", async (t) => {
  const deny = (versions: string) => [{ modules: "example.com/m", versions, reason: "not yet" }];
  const door = await FrontDoor.start({
    policy: { deny: deny("v1.0.0") },
    channels: { strict: { policy: { deny: deny(">=v1.2.0") } }, loose: { policy: {} } },
  });
  t.after(() => door[Symbol.asyncDispose]());
  for (const version of ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"])
    await door.publish(moduleFixture("example.com/m", version));
  door.open.on(`${m}/list`, { body: "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0\n" });
  door.open.on(`${m}/main.info`, { body: JSON.stringify({ Version: "v1.3.0", Time: "2024-01-02T03:04:05Z" }) });
  for (let round = 0; round < 2; round++) {
    assert.equal(await body(door, `${m}/list`), "200 v1.1.0\nv1.2.0\nv1.3.0\n");
    assert.equal(await body(door, `/~strict${m}/list`), "200 v1.1.0\n");
    assert.equal(await body(door, `/~loose${m}/list`), "200 v1.1.0\nv1.2.0\nv1.3.0\n");
    assert.match(await body(door, "/~strict/example.com/m/@latest"), /^200 .*"v1\.1\.0"/);
    assert.match(await body(door, "/example.com/m/@latest"), /^200 .*"v1\.3\.0"/);
  }
  assert.match(await body(door, `/~strict${m}/v1.2.0.zip`), /^403 .*\n?.*not yet/s);
  assert.match(await body(door, `/~loose${m}/v1.0.0.zip`), /^403 /);
  assert.equal((await get(door.url, `${m}/v1.2.0.zip`)).status, 200);
  // What is stored is everybody's: a channel's policy is for lists and for what comes in.
  assert.equal((await get(door.url, `/~strict${m}/v1.2.0.zip`)).status, 200);
});
