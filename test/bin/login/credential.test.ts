import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { skipWithoutOpenssl as skip } from "../../support/certificate.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { LoginWorld, printedCredential } from "../../support/login-world.ts";
import { ScriptedExchange } from "../../support/scripted-exchange.ts";

// What go runs before its first request, and again after each 4xx.

const token = ScriptedExchange.token(1);

test("a token that is good is printed by a handful of files, without any that a network needs", async (t) => {
  const home = dataFolder(t);
  const loaded = join(home, "loaded");
  const hook = join(home, "hook.mjs");
  // What the program loaded of ours, and which parts of node it had.
  writeFileSync(
    hook,
    `import { writeFileSync } from "node:fs"; import { registerHooks } from "node:module";
const files = []; registerHooks({ load: (url, context, next) => (url.startsWith("file:") && files.push(url), next(url, context)) });
const before = new Set(process.moduleLoadList);
process.on("exit", () => writeFileSync(${JSON.stringify(loaded)}, JSON.stringify({ files, parts: process.moduleLoadList.filter((each) => !before.has(each)) })));`,
  );
  const environment = { HOME: home, NODE_OPTIONS: `--import ${hook}` };
  const login = await runCli(["login", "https://127.0.0.1:1", "--token"], { environment, input: token });
  assert.equal(login.code, 0, login.stderr);
  for (const args of [["credential"], ["credential", "https://127.0.0.1:1/m/@v/list"]]) {
    const { code, stdout } = await runCli(args, { environment, input: "HTTP/1.1 404 Not Found\n\n" });
    assert.deepEqual([code, stdout.includes("Basic ")], [0, true]);
    const { files, parts } = JSON.parse(readFileSync(loaded, "utf8"));
    assert.deepEqual(files.map((url: string) => url.slice(url.lastIndexOf("/") + 1)).sort(), [
      "coded-error.ts",
      "config-folder.ts",
      "credential.ts",
      "credential.ts",
      "login-file.ts",
      "login.ts",
      "modfront.ts",
    ]);
    const heavy = /\b(https?|_http_\w+|tls|_tls_\w+|crypto|sqlite|undici\S*|dns|worker_threads|child_process)$/;
    assert.deepEqual(
      parts.filter((part: string) => heavy.test(part)),
      [],
    );
  }
});

test("twenty go commands that ask at the end of a token have it renewed once", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  const runs = await Promise.all(Array.from({ length: 20 }, () => world.credential()));
  for (const { code, stdout, stderr } of runs)
    assert.deepEqual([code, stdout, stderr], [0, printedCredential(world.server, 2), ""]);
  assert.deepEqual(world.provider.grants, ["authorization_code", "refresh_token"]);
  assert.equal(statSync(world.file).mode & 0o777, 0o600);
  // The refresh token that came with it is the one that is good now.
  world.age(500);
  assert.equal((await world.credential()).stdout, printedCredential(world.server, 3));
});

test("what go was answered decides: a 401 renews a token that is not new, anything else does not", {
  skip,
}, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  const rows: readonly (readonly [age: number, status: string, exchange: number])[] = [
    [0, "401 Unauthorized", 1],
    [300, "404 Not Found", 1],
    [300, "403 Forbidden", 1],
    [300, "401 Unauthorized", 2],
    [300, "404 401", 2],
    [460, "404 Not Found", 3],
  ];
  for (const [age, status, exchange] of rows) {
    world.age(age);
    assert.equal((await world.credential(status)).stdout, printedCredential(world.server, exchange), status);
  }
});

test("servers that go does not ask are not renewed, and their tokens are printed for nobody else", {
  skip,
}, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  const { url } = world.server;
  const environment = { ...world.environment, GOPROXY: "https://proxy.example,direct" };
  for (const args of [
    ["credential"],
    ["credential", "https://proxy.example/m/@v/list"],
    ["credential", `${url}.evil.example/`],
  ]) {
    const { code, stdout } = await runCli(args, { environment, input: "HTTP/1.1 401 Unauthorized\n\n" });
    assert.deepEqual([code, stdout], [0, ""], args.join(" "));
  }
  assert.deepEqual(world.provider.grants, ["authorization_code"]);
  const used = await runCli(["credential"], { environment: { ...environment, GOPROXY: `${url},direct` } });
  assert.equal(used.stdout, printedCredential(world.server, 2));
});

test("other verbs show the token of login, renewed, and MODFRONT_TOKEN before it", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  const { authorizations, url } = world.server;
  authorizations.length = 0;
  const list = ["token", "list", "--url", url];
  assert.equal((await world.run(list)).code, 1);
  const environment = { ...world.environment, MODFRONT_TOKEN: "mf_own" };
  assert.equal((await runCli(list, { environment })).code, 1);
  assert.deepEqual(authorizations, [`Bearer ${ScriptedExchange.token(2)}`, "Bearer mf_own"]);
});

test("a server whose clock is an hour ahead or behind gives tokens that last as long as others", {
  skip,
}, async (t) => {
  for (const ahead of [3_600_000, -3_600_000]) {
    const world = await LoginWorld.open(t, {}, { ahead });
    await world.login();
    const { obtained = 0, expires = 0 } = world.kept;
    // The header of the time has seconds.
    assert.ok(Math.abs(expires - obtained - 600_000) <= 1000, `${expires - obtained}`);
    assert.equal((await world.credential()).stdout, printedCredential(world.server, 1));
    assert.equal(world.server.subjects.length, 1);
  }
});

test("while it cannot be renewed a token goes on to its end, and not everyone who asks tries", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  world.server.script.refusal = [503, "try again later"];
  const runs = await Promise.all(Array.from({ length: 5 }, () => world.credential()));
  for (const { code, stdout } of runs) assert.deepEqual([code, stdout], [0, printedCredential(world.server, 1)]);
  assert.deepEqual(runs.map(({ stderr }) => stderr).filter(Boolean), [
    `${world.server.url}: the token cannot be renewed: ${world.server.url}: try again later\n`,
  ]);
  assert.deepEqual(world.provider.grants, ["authorization_code", "refresh_token"]);
  const { failed, ...rest } = world.kept;
  assert.equal(typeof failed, "number");
  delete world.server.script.refusal;
  world.keep(rest);
  assert.equal((await world.credential()).stdout, printedCredential(world.server, 2), "the refresh token was kept");
});

test("a refresh token that the provider takes no more is not tried again, and never shown", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  const stale = { ...world.kept, renewal: { ...world.kept.renewal, refreshToken: "r3fresh-t0ken" } };
  world.keep(stale as typeof world.kept);
  const first = await world.credential();
  assert.deepEqual([first.code, first.stdout], [0, printedCredential(world.server, 1)]);
  assert.match(first.stderr, /cannot be renewed: 127\S+: invalid_grant.*\n.*: log in again with modfront login https/);
  assert.ok(!first.stderr.includes("r3fresh-t0ken"));
  assert.equal(world.kept.renewal, undefined);
  const second = await world.credential("401 Unauthorized");
  assert.deepEqual([second.stdout, second.stderr], [printedCredential(world.server, 1), ""]);
});

test("where nothing can be written a token goes on to its end, and login says why", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  world.age(500);
  const lock = join(dirname(world.file), "logins.lock");
  rmSync(lock);
  mkdirSync(lock);
  const { code, stdout, stderr } = await world.credential();
  assert.deepEqual([code, stdout], [0, printedCredential(world.server, 1)]);
  const said = "the folder of logins cannot be written\n";
  assert.equal(stderr, `${world.server.url}: the token cannot be renewed: ${said}`);
  const login = await world.run(["login", world.server.url]);
  assert.deepEqual([login.code, login.stderr.endsWith(said)], [1, true], login.stderr);
});

test("who is killed while holding the lock, or between two tokens, leaves nothing that others stumble over", {
  skip,
}, async (t) => {
  const world = await LoginWorld.open(t);
  await world.login();
  const holder = spawn(process.execPath, [
    "-e",
    `const { DatabaseSync } = require("node:sqlite"); const lock = new DatabaseSync(${JSON.stringify(join(dirname(world.file), "logins.lock"))});
lock.exec("BEGIN EXCLUSIVE"); process.stdout.write("held"); setInterval(() => {}, 1000);`,
  ]);
  await once(holder.stdout, "data");
  world.age(500);
  const waiting = world.start(["credential", `${world.server.url}/m`]);
  // It asks for nothing while another may be renewing.
  holder.kill("SIGKILL");
  assert.equal((await waiting.ended).stdout, printedCredential(world.server, 2));

  // And one who died in the middle of writing.
  writeFileSync(`${world.file}.0123456789ab`, JSON.stringify(world.kept).slice(0, 40));
  world.age(500);
  world.server.script.hangs = true;
  const killed = world.start(["credential", `${world.server.url}/m`]);
  await eventually(() => world.server.hanging > 0);
  killed.child.kill("SIGKILL");
  await killed.ended;
  world.server.script.hangs = false;
  assert.equal(
    (await world.credential()).stdout,
    printedCredential(world.server, 3),
    "by the refresh token of who died",
  );
  assert.deepEqual(readdirSync(dirname(world.file)).sort(), ["logins.json", "logins.lock"]);
});

test("a file that others may read, or that is none of ours, is not used, and nothing of it is shown", async (t) => {
  const home = dataFolder(t);
  const environment = { HOME: home };
  const file = join(home, ".config/modfront/logins.json");
  assert.equal((await runCli(["login", "https://127.0.0.1:1", "--token"], { environment, input: token })).code, 0);
  const whole = readFileSync(file, "utf8");
  const server = "https://127.0.0.1:1";
  const login = (more: object) => JSON.stringify({ [server]: { token, ...more } });
  const rows = [
    ...[whole.slice(0, 40), "", "[]", "null", '"x"', `{"${server}":7}`, `{"${server}":{}}`, `{"${server}":"a b"}`],
    ...[{ token: "a\nb" }, { expires: "soon" }, { renewal: "x" }, { renewal: { kind: "provider" } }].map(login),
    ...[{ renewal: { kind: "constructor" } }, { renewal: { kind: "file", path: 7 } }].map(login),
    `{${" ".repeat(1 << 20)}}`,
  ];
  for (const text of rows) {
    writeFileSync(file, text);
    const { code, stdout, stderr } = await runCli(["credential"], { environment });
    assert.deepEqual(
      [code, stdout, stderr],
      [1, "", "modfront: the file of logins is damaged: delete it and log in anew\n"],
      text.slice(0, 80),
    );
  }
  writeFileSync(file, whole);
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode);
    const { code, stdout, stderr } = await runCli(["credential"], { environment });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /may be read by others: chmod 600 it/);
  }
  rmSync(file);
  const none = await runCli(["credential"], { environment });
  assert.deepEqual([none.code, none.stdout], [0, ""]);
});
