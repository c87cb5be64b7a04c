import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { freePort } from "../../support/free-port.ts";
import { git, hasGit } from "../../support/git-repository.ts";
import { GuardedModfront, skipWithoutGoAndTls } from "../../support/guarded-modfront.ts";
import { ModfrontProcess } from "../../support/modfront-process.ts";

// `modfront publish` to a modfront that runs, and what the real go makes of it.

const skip = skipWithoutGoAndTls || (hasGit ? false : "git is not installed");
const module = "corp.example/Lib";
let modfront: GuardedModfront;
let token: string;

before(async () => {
  if (skip !== false) return;
  const rules = [
    { modules: "corp.example/strict", requireTag: true, prerelease: false, sequence: "next", api: "enforce" },
  ];
  modfront = await GuardedModfront.startWith({ publishing: { rules } });
  token = await modfront.token({ role: "publisher", subject: "ci" });
});

after(async () => {
  if (skip === false) await modfront[Symbol.asyncDispose]();
});

function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** A work tree with what is written committed. */
function repository(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = dataFolder(t);
  write(folder, files);
  git(folder, ["init", "-q", "-b", "main"]);
  commit(folder);
  return folder;
}

function commit(folder: string): void {
  git(folder, ["add", "-A"]);
  git(folder, ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"]);
}

function publish(folder: string, ...args: readonly string[]) {
  const environment = { HOME: dirname(folder), MODFRONT_TOKEN: token, NODE_EXTRA_CA_CERTS: modfront.certificate.cert };
  return runCli(["publish", folder, "--url", modfront.process.url, ...args], { environment });
}

test("the real go gets and builds what was published of a folder and of a tag, by our own log", { skip }, async (t) => {
  const lib = repository(t, {
    "go.mod": `module ${module}\n\ngo 1.24\n`,
    "lib.go": "package lib\n\nconst Answer = 1\n",
  });
  const first = await publish(lib, "--version", "v1.0.0");
  assert.equal(first.code, 0, first.stderr);
  const [zipLine = "", modLine = "", last] = first.stdout.split("\n");
  assert.equal(last, `go get ${module}@v1.0.0`);
  assert.match(first.stderr, /^corp\.example\/Lib@v1\.0\.0 is published\n$/);

  const verifier = (await (await fetchText("/-/gosumdb")).trim()) || assert.fail();
  const machine = modfront.machine({
    proxy: modfront.process.url,
    netrc: `machine ${modfront.host} login x password ${await modfront.token()}\n`,
    environment: { GOSUMDB: verifier },
  });
  machine.write("main.go", `package main\n\nimport lib "${module}"\n\nfunc main() { println(lib.Answer) }\n`);
  const got = await machine.go("get", `${module}@v1.0.0`);
  assert.equal(got.code, 0, got.stderr);
  const sums = readFileSync(join(machine.folder, "go.sum"), "utf8");
  assert.deepEqual(sums.split("\n").sort(), ["", zipLine, modLine].sort());
  assert.equal((await machine.go("run", ".")).stderr, "1\n");

  write(lib, { "lib.go": "package lib\n\nconst Answer = 2\n" });
  commit(lib);
  git(lib, ["tag", "v1.1.0"]);
  const second = await publish(lib, "--tag", "v1.1.0", "--json");
  assert.equal(second.code, 0, second.stderr);
  const { isNew, tag } = JSON.parse(second.stdout);
  assert.deepEqual([isNew, tag], [true, "v1.1.0"]);
  assert.equal((await machine.go("list", "-m", "-versions", module)).stdout, `${module} v1.0.0 v1.1.0\n`);
  const upgraded = await machine.go("get", `${module}@latest`);
  assert.equal(upgraded.code, 0, upgraded.stderr);
  assert.equal((await machine.go("run", ".")).stderr, "2\n");

  // The same again changes nothing; other bytes are refused, with both hashes.
  assert.match((await publish(lib, "--tag", "v1.1.0")).stderr, /was published before, with the same bytes/);
  write(lib, { "lib.go": "package lib\n\nconst Answer = 3\n" });
  commit(lib);
  git(lib, ["tag", "-f", "v1.1.0"]);
  const moved = await publish(lib, "--tag", "v1.1.0");
  assert.deepEqual([moved.code, moved.stdout], [1, ""]);
  assert.match(moved.stderr, /other bytes.*\nstored: h1:\S+, go\.mod h1:\S+\nhere: {3}h1:\S+, go\.mod h1:\S+\n/);
});

async function fetchText(path: string): Promise<string> {
  const headers = ["-H", `Authorization: Bearer ${token}`];
  const { execFileSync } = await import("node:child_process");
  return execFileSync(
    "curl",
    ["-fsS", "--cacert", modfront.certificate.cert, ...headers, modfront.process.url + path],
    { encoding: "utf8" },
  );
}

test("who may not, and what the rules refuse, hears why, and no token is shown", { skip }, async (t) => {
  const other = repository(t, { "go.mod": "module other.example/x\n" });
  const strict = repository(t, { "go.mod": "module corp.example/strict\n", "a.go": "package strict\n" });
  for (const tag of ["v1.0.0", "v1.0.1", "v1.2.0-rc.1", "v1.5.0"]) git(strict, ["tag", tag]);
  const rows: readonly (readonly [folder: string, args: readonly string[], said: RegExp])[] = [
    [other, ["--version", "v1.0.0"], /^modfront: other\.example\/x is not private: .*\n$/],
    [strict, ["--version", "v1.0.0"], /wants a tag for this module: modfront publish --tag/],
    [strict, ["--tag", "v1.2.0-rc.1"], /is a pre-release/],
    [strict, ["--tag", "v1.0.0"], /^corp\.example\/strict@v1\.0\.0 is published\n$/],
    [strict, ["--tag", "v1.5.0"], /after v1\.0\.0 comes v1\.0\.1, v1\.1\.0, v2\.0\.0/],
    [strict, ["--tag", "v1.0.1"], /wants a comparison of the API with v1\.0\.0: modfront publish --api\n$/],
  ];
  for (const [folder, args, said] of rows) {
    const { stderr } = await publish(folder, ...args);
    assert.match(stderr, said);
    assert.ok(!stderr.includes(token));
  }
  const viewer = await modfront.token({ role: "viewer" });
  for (const [shown, said] of [
    [viewer, /has the role viewer, which may not do this\n$/],
    ["mf_wrong", /modfront login, or a token in MODFRONT_TOKEN/],
  ] as const) {
    const environment = {
      HOME: dirname(strict),
      MODFRONT_TOKEN: shown,
      NODE_EXTRA_CA_CERTS: modfront.certificate.cert,
    };
    const run = await runCli(["publish", strict, "--tag", "v1.0.0", "--url", modfront.process.url], { environment });
    assert.equal(run.code, 1);
    assert.match(run.stderr, said);
    assert.ok(!run.stderr.includes(shown));
  }
});

test("a version that is yanked is in no list, and builds on, until it is listed again", { skip }, async (t) => {
  const lib = repository(t, { "go.mod": "module corp.example/yanked\n", "a.go": "package yanked\n" });
  for (const version of ["v1.0.0", "v1.1.0"]) assert.equal((await publish(lib, "--version", version)).code, 0);
  const netrc = `machine ${modfront.host} login x password ${await modfront.token()}\n`;
  const machine = modfront.machine({ proxy: modfront.process.url, netrc });
  const versions = async () => (await machine.go("list", "-m", "-versions", "corp.example/yanked")).stdout;
  const latest = async () => (await machine.go("list", "-m", "corp.example/yanked@latest")).stdout;
  const ask = (...args: readonly string[]) => {
    const environment = { HOME: lib, MODFRONT_TOKEN: token, NODE_EXTRA_CA_CERTS: modfront.certificate.cert };
    return runCli([...args, "--url", modfront.process.url], { environment });
  };
  const yanked = await ask("yank", "corp.example/yanked@v1.1.0", "--reason", "it deletes what it should keep");
  assert.deepEqual([yanked.code, yanked.stderr], [0, "corp.example/yanked@v1.1.0 is yanked\n"]);
  assert.equal(await versions(), "corp.example/yanked v1.0.0\n");
  assert.equal(await latest(), "corp.example/yanked v1.0.0\n");
  assert.equal((await machine.go("mod", "download", "corp.example/yanked@v1.1.0")).code, 0);
  // Its number is taken all the same.
  assert.match((await publish(lib, "--version", "v1.1.0")).stderr, /was published before, with the same bytes/);
  assert.equal(await versions(), "corp.example/yanked v1.0.0\n");
  const listed = await ask("unyank", "corp.example/yanked@v1.1.0", "--json");
  assert.deepEqual(JSON.parse(listed.stdout), { path: "corp.example/yanked", version: "v1.1.0", yanked: false });
  assert.equal(await versions(), "corp.example/yanked v1.0.0 v1.1.0\n");
  for (const [args, said] of [
    [["yank", "corp.example/yanked@v1.9.0", "--reason", "x"], /v1\.9\.0 is not here/],
    [["yank", "corp.example/yanked@v1.1.0"], /--reason says why/],
    [["unyank", "corp.example/yanked"], /this takes a module with its version/],
  ] as const) {
    const { code, stderr } = await ask(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, said);
  }
});

test("gorelease is run through the modfront alone, and is shown no token but by a file of its own", {
  skip,
}, async (t) => {
  const lib = repository(t, { "go.mod": "module corp.example/api\n", "a.go": "package api\n" });
  const folder = dataFolder(t);
  const seen = join(folder, "seen");
  const fake = `#!/bin/sh\necho "$*" >>${seen}; env >>${seen}; ls -l "$NETRC" >>${seen}; cat "$NETRC" >${seen}.netrc; ls >>${seen}\nexit 1\n`;
  writeFileSync(join(folder, "go"), fake);
  chmodSync(join(folder, "go"), 0o755);
  const environment = {
    ...{ PATH: `${folder}:${process.env.PATH}`, HOME: folder, NODE_EXTRA_CA_CERTS: modfront.certificate.cert },
    ...{ MODFRONT_TOKEN: token, GOPRIVATE: "corp.example", GOFLAGS: "-insecure", GOPROXY: "https://evil.example" },
    ...{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: "r3quest", AWS_SECRET_ACCESS_KEY: "s3cret", GOCACHE: folder },
  };
  const args = ["publish", lib, "--version", "v1.0.0", "--api", "--url", modfront.process.url];
  const run = await runCli(args, { environment });
  assert.equal(run.code, 0, run.stderr);
  assert.match(
    run.stderr,
    /^the API is not compared: gorelease says nothing\ncorp\.example\/api@v1\.0\.0 is published\n$/,
  );
  const what = readFileSync(seen, "utf8");
  assert.ok(!what.includes(token) && !/r3quest|s3cret/.test(what));
  assert.match(what, /^GOCACHE=/m);
  for (const line of [`GOPROXY=${modfront.process.url}`, "GOPRIVATE=none", "GONOSUMDB=none", "GOFLAGS=-mod=mod"])
    assert.match(what, new RegExp(`^${line}$`, "m"));
  assert.match(what, /^GOSUMDB=\S+\+\S+$/m);
  assert.match(what, /^-rw-------/m);
  assert.equal(readFileSync(`${seen}.netrc`, "utf8"), `machine ${modfront.host} login modfront password ${token}\n`);
  const [, netrc = ""] = /^NETRC=(.*)$/m.exec(what) ?? [];
  assert.ok(netrc !== "" && !existsSync(dirname(netrc)));
});

test("a server that is killed in the middle of an upload has the version after all", { skip }, async (t) => {
  const [folder, data, config] = [dataFolder(t), dataFolder(t), join(dataFolder(t), "config.json")];
  write(folder, { "go.mod": "module corp.example/large\n", "large.bin": randomBytes(24_000_000) });
  writeFileSync(config, JSON.stringify({ private: ["corp.example"] }));
  const flags = ["--port", String(await freePort()), "--data", data, "--config", config];
  let server = await ModfrontProcess.start(...flags);
  t.after(() => server.stop());
  const made = [
    "token",
    "create",
    "--subject",
    "ci",
    "--role",
    "publisher",
    "--modules",
    "corp.example",
    "--data",
    data,
  ];
  const { stdout } = await runCli([...made, "--config", config]);
  // Between the two, to see how far it is.
  let passed = 0;
  let restarted: Promise<ModfrontProcess> | undefined;
  const between = createServer((client) => {
    const { hostname, port } = new URL(server.url);
    const behind = connect(Number(port), hostname).on("error", () => client.destroy());
    client
      .on("error", () => behind.destroy())
      .on("data", (chunk) => {
        passed += chunk.length;
        if (restarted !== undefined || passed < 8_000_000) return;
        server.signal("SIGKILL");
        restarted = server.ended.then(() => ModfrontProcess.start(...flags));
      });
    client.pipe(behind).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(between, "listening");
  t.after(() => between.close());
  const { port } = between.address() as { readonly port: number };
  const environment = { HOME: folder, MODFRONT_TOKEN: stdout.trim() };
  const args = ["publish", folder, "--version", "v1.0.0", "--url", `http://127.0.0.1:${port}`, "--json"];
  const run = await runCli(args, { environment });
  server = (await restarted) ?? assert.fail("it was never killed");
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /^no answer from 127\.0\.0\.1:\d+ \(E\w+\): trying again in 1 s\n/);
  const { sum, isNew } = JSON.parse(run.stdout);
  assert.equal(isNew, true);
  const { stdout: list } = await runCli(["publish", folder, "--version", "v1.0.0", "--dry-run", "--json"], {
    environment,
  });
  assert.equal(JSON.parse(list).sum, sum);
  const listed = await fetch(`${server.url}/corp.example/large/@v/list`);
  assert.deepEqual([listed.status, await listed.text()], [200, "v1.0.0\n"]);
});
