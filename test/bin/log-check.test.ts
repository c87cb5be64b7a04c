import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";
import { addFixture, filePath, moduleFixture } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// `modfront log check` against a modfront that is played, so that it may lie.

const h1 = (text: string) => `h1:${createHash("sha256").update(text).digest("base64")}`;

/** A modfront with a log, of which `database` is what it shows. */
async function played(t: Parameters<typeof dataFolder>[0]) {
  const state = { database: new ChecksumDatabase() };
  const server = await ScriptedUpstream.start();
  t.after(() => server.close());
  const asked: string[] = [];
  server.otherwise(async ({ path, headers }) => {
    asked.push(`${headers.authorization ?? ""} ${path}`);
    if (path === "/-/gosumdb") return { body: `${state.database.vkey}\n` };
    const below = path.replace("/sumdb/sum.example.com", "");
    if (below === path) return { status: 504, body: `${headers["cache-control"]}\n` };
    if (below.includes("/data/") && headers.authorization !== "Bearer all") return { status: 403, body: "no\n" };
    const body = await state.database.get(below, 10_000_000).catch(() => undefined);
    return body === undefined ? { status: 404, body: "no\n" } : { body };
  });
  const folder = dataFolder(t);
  const check = async (token: string, ...flags: readonly string[]) => {
    const environment = { HOME: folder, MODFRONT_TOKEN: token };
    const { code, stdout, stderr } = await runCli(["log", "check", server.url, "--json", ...flags], { environment });
    return { code, stderr, report: stdout === "" ? undefined : JSON.parse(stdout) };
  };
  return { state, server, asked, folder, check };
}

test("a log that grows is right each time, and one that shrinks or changes is not", async (t) => {
  const { state, check, asked } = await played(t);
  await state.database.add("example.com/a", 0);
  for (let i = 0; i < 300; i++) await state.database.addRecord(`example.com/m${i}`, "v1.0.0", h1("a"), h1("b"));
  const first = await check("all");
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual([first.report.size, first.report.continuation, first.report.records], [300, "first", 300]);
  assert.ok(asked.every((each) => each.startsWith("Bearer all ")));
  await state.database.addRecord("example.com/n", "v1.0.0", h1("a"), h1("b"));
  // Whoever may not read every module counts what they cannot see, and sees the tree all the same.
  const second = await check("some");
  assert.equal(second.code, 0);
  assert.deepEqual([second.report.continuation, second.report.records, second.report.unreadable], ["extends", 0, 301]);
  assert.equal((await check("some")).report.continuation, "same");

  const grown = state.database;
  const shrunk = grown.fork();
  await shrunk.addRecord("example.com/m0", "v1.0.0", h1("a"), h1("b"));
  state.database = shrunk;
  const rollback = await check("all");
  assert.equal(rollback.code, 1);
  assert.match(rollback.report.faultLines.join("\n"), /^ROLLBACK: /);

  for (let i = 0; i < 301; i++) await shrunk.addRecord(`example.com/x${i}`, "v1.0.0", h1("a"), h1("b"));
  const fork = await check("all");
  assert.equal(fork.code, 1);
  assert.match(fork.report.faultLines.join("\n"), /^FORK: /);
  assert.match(fork.report.heads.kept, /\n301\n/);
  assert.match(fork.report.heads.now, /\n302\n/);
  // The head of a lie is not kept: the log is still held against the one that was right.
  state.database = grown;
  assert.equal((await check("all")).report.continuation, "same");

  state.database = new ChecksumDatabase();
  await state.database.addRecord("example.com/m0", "v1.0.0", h1("a"), h1("b"));
  assert.match(
    (await check("all")).report.faultLines[0],
    /^the key of sum\.example\.com is not that of the last check/,
  );
});

test("files and lookups are held against the records, and what is not stored is not fetched", async (t) => {
  const { state, server, check } = await played(t);
  const [stored, other] = [moduleFixture("example.com/stored"), moduleFixture("example.com/other")];
  for (const module of [stored, other]) await addFixture(state.database, module);
  await state.database.addRecord("example.com/absent", "v1.0.0", h1("a"), h1("b"));
  for (const kind of ["mod", "zip"] as const) server.on(filePath(stored, kind), { body: stored[kind] });
  server.on(filePath(other, "mod"), { body: "module example.com/changed\n" });
  server.on(filePath(other, "zip"), { body: other.zip });
  const { code, report } = await check("all", "--files", "--lookups");
  assert.equal(code, 1);
  assert.deepEqual(report.files, { right: 1, absent: 1, unreadable: 0 });
  assert.deepEqual(report.lookups, { right: 3, unreadable: 0 });
  assert.equal(report.faults, 1);
  assert.match(report.faultLines[0], /^the mod of example\.com\/other@v1\.0\.0 is h1:.* and the log says h1:/);
  state.database.tamper = (path, answer) =>
    path.startsWith("/lookup/example.com/stored")
      ? Buffer.from(`1${answer && Buffer.from(answer).subarray(1)}`)
      : answer;
  assert.deepEqual((await check("all", "--lookups")).report.faultLines, [
    "the lookup of example.com/stored@v1.0.0 does not lead to record 0",
  ]);
});

test("an answer without an end is not read to it", { timeout: 30_000 }, async (t) => {
  const server = createServer((_, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(65_536, "a"))) {}
      response.once("drain", more);
    };
    more();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await runCli(["log", "check", `http://127.0.0.1:${port}`], {
    environment: { HOME: dataFolder(t) },
  });
  assert.deepEqual([code, stderr], [1, "modfront: /-/gosumdb is longer than any answer should be\n"]);
});

test("a go.mod without an end is read as far as one may be long", { timeout: 60_000 }, async (t) => {
  const { state, server, check } = await played(t);
  const [endless, other] = [moduleFixture("example.com/endless"), moduleFixture("example.com/other")];
  for (const module of [endless, other]) {
    await addFixture(state.database, module);
    for (const kind of ["mod", "zip"] as const) server.on(filePath(module, kind), { body: module[kind] });
  }
  server.on(filePath(endless, "mod"), { body: Buffer.alloc(1 << 20, "// a go.mod\n"), fault: "endless" });
  const { code, report } = await check("all", "--files");
  assert.equal(code, 1);
  assert.deepEqual(report.files, { right: 1, absent: 0, unreadable: 0 });
  assert.deepEqual(report.faultLines, [
    "example.com/endless@v1.0.0: /example.com/endless/@v/v1.0.0.mod is longer than any answer should be",
  ]);
  assert.ok(server.bytesSent < 100 << 20, `${server.bytesSent} bytes were sent`);
});

test("what is no log to check is said, and a wrong word too", async (t) => {
  const { server, folder } = await played(t);
  server.on("/-/gosumdb", { body: "sum.golang.org\n" });
  const environment = { HOME: folder };
  const none = await runCli(["log", "check", server.url], { environment });
  assert.deepEqual([none.code, none.stderr], [1, "modfront: this modfront has no log of its own\n"]);
  const word = await runCli(["log", "burn"], { environment });
  assert.deepEqual([word.code, word.stderr], [2, "modfront: log takes one of the words key, check, fork\n"]);
  const url = await runCli(["log", "check", "goproxy"], { environment });
  assert.deepEqual([url.code, url.stderr], [2, "modfront: this takes the URL of a modfront\n"]);
});
