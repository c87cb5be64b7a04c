import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dataFolder } from "../support/data-folder.ts";
import { DirectSource, directModules } from "../support/direct-source.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine, skipWithoutGo as skip } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";

// Private modules straight from a git server, by the real go command through `npm start`. The server is written by hand, so
// that no git is needed.

const token = "glpat-0a1b2c3d4e5f";
const basic = (user: string, secret: string) => `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}`;
const { suffixed, paged } = directModules;

const goMod = (...requirements: readonly string[]) =>
  `module example.com/main\n\ngo 1.25\n${requirements.map((each) => `\nrequire ${each}`).join("")}\n`;
const program = (module: string) => `package main\n\nimport lib "${module}"\n\nfunc main() { print(lib.Name) }\n`;

/** A developer's machine, on which everything is verified against modfront's own checksum database. */
async function machineAt(url: string, module: string, ...requirements: readonly string[]): Promise<GoMachine> {
  const GOSUMDB = (await (await fetch(`${url}/-/gosumdb`)).text()).trim();
  return new GoMachine(url, { GOSUMDB }).write("go.mod", goMod(...requirements)).write("main.go", program(module));
}

/** What the program prints that is built against a version. */
async function built(url: string, module: string, version: string): Promise<string> {
  using machine = await machineAt(url, module, `${module} ${version}`);
  const build = await machine.go("build", "-o", "main", ".");
  assert.equal(build.code, 0, build.stderr);
  return spawnSync(join(machine.folder, "main"), { encoding: "utf8" }).stderr;
}

/** The version that `go get module@query` requires afterwards. */
async function got(url: string, module: string, query: string): Promise<string> {
  using machine = await machineAt(url, module);
  const run = await machine.go("get", `${module}@${query}`);
  assert.equal(run.code, 0, run.stderr);
  return (await machine.go("list", "-m", "-f", "{{.Version}}", module)).stdout.trim();
}

/** `npm start` in front of a source, with its own credentials and environment. */
function start(source: DirectSource, data: string, credentials: readonly object[] = [], environment = {}) {
  const config = join(data, "..", `${data.split("/").at(-1)}.json`);
  writeFileSync(config, JSON.stringify({ ...source.config, credentials, sumdb: { name: "off" } }));
  return ModfrontProcess.startIn(environment, "--config", config, "--data", data, "--upstream", "off");
}

for (const module of [suffixed, paged]) {
  test(`build, list, branches, commits and latest of ${module}`, { skip }, async (t) => {
    const data = dataFolder(t);
    await using source = await DirectSource.start(module);
    source.commit(module, "package lib\n\nconst Name = `two`\n", "v1.1.0");
    const head = source.commit(module, "package lib\n\nconst Name = `three`\n");
    source.authorization = basic("oauth2", token);
    const secret = join(dataFolder(t), "token");
    writeFileSync(secret, `${token}\n`);
    const { host } = source.server.url;
    await using modfront = await start(source, data, [
      { match: host, kind: "basic", user: "oauth2", secret: { file: secret } },
    ]);
    const { url } = modfront;

    assert.equal(await built(url, module, "v1.0.0"), "one");
    using machine = await machineAt(url, module);
    assert.equal(await got(url, module, "latest"), "v1.1.0");
    const listed = await machine.go("list", "-m", "-versions", module);
    assert.equal(listed.stdout, `${module} v1.0.0 v1.1.0\n`, listed.stderr);
    const pseudo = `v1.1.1-0.20231114221640-${head.slice(0, 12)}`;
    assert.equal(await got(url, module, "main"), pseudo);
    assert.equal(await got(url, module, head.slice(0, 9)), pseudo);
    assert.equal(await built(url, module, pseudo), "three");
    assert.deepEqual(source.shown, [source.authorization]);

    // The server is gone: what is pinned builds, on a machine that has nothing.
    await source[Symbol.asyncDispose]();
    assert.equal(await built(url, module, "v1.0.0"), "one");
    assert.equal(await built(url, module, pseudo), "three");
    // A listing that was made a moment ago still says what is not there, which is then known for a while: others each time.
    let missing = "";
    let patch = 0;
    await eventually(async () => {
      missing = (await machine.go("get", `${module}@v1.2.${patch++}`)).stderr;
      return missing.includes("502 Bad Gateway");
    });
    assert.match(missing, /upstream direct cannot read its repository at corp\.example/);
  });
}

test("a tag that was moved is refused, with both hashes", { skip }, async (t) => {
  const data = dataFolder(t);
  await using source = await DirectSource.start();
  {
    await using modfront = await start(source, data);
    assert.equal(await built(modfront.url, suffixed, "v1.0.0"), "one");
    await modfront.stop();
  }
  source.commit(suffixed, "package lib\n\nconst Name = `evil`\n", "v1.0.0");
  {
    await using modfront = await start(source, data);
    assert.equal(await built(modfront.url, suffixed, "v1.0.0"), "one", "what is stored stays");
    await modfront.stop();
  }
  // The files are lost, as when they were evicted; the claim is not.
  rmSync(join(data, "mod/corp.example"), { recursive: true });
  await using modfront = await start(source, data);
  using machine = await machineAt(modfront.url, suffixed, `${suffixed} v1.0.0`);
  const build = await machine.go("build", ".");
  assert.equal(build.code, 1);
  assert.match(build.stderr, /403 Forbidden/);
  assert.match(modfront.output, /corp\.example\/repo\.git/, "the operator is told");
  assert.equal(new Set(build.stderr.match(/h1:[A-Za-z0-9+/]{43}=/g)).size, 2, build.stderr);
});

test("credentials are those of netrc; wrong ones are one clear line, without them", { skip }, async (t) => {
  await using source = await DirectSource.start();
  source.authorization = basic("me", token);
  const { host } = source.server.url;
  const NETRC = join(dataFolder(t), "netrc");
  writeFileSync(NETRC, `machine ${host} login me password ${token}\n`);
  {
    await using modfront = await start(source, dataFolder(t), [], { NETRC });
    assert.equal(await built(modfront.url, suffixed, "v1.0.0"), "one");
  }
  const rows = [
    ["machine other.example login me password x\n", ", and no credentials are known for it"],
    [`machine ${host} login me password ${token}x\n`, ""],
  ] as const;
  for (const [wrong, why] of rows) {
    writeFileSync(NETRC, wrong);
    await using modfront = await start(source, dataFolder(t), [], { NETRC });
    using machine = await machineAt(modfront.url, suffixed, `${suffixed} v1.0.0`);
    const build = await machine.go("build", ".");
    assert.equal(build.code, 1);
    const [, line = ""] = /502 Bad Gateway\n\tserver response:? ?(.*)\n/.exec(build.stderr) ?? [];
    const refused = "upstream direct wants credentials that modfront does not have";
    const said = `cannot read its repository at corp.example: it answered 401${why}`;
    assert.equal(line, `${refused}: ${said}`, build.stderr);
    assert.ok(!(build.stderr + modfront.output).includes(token));
  }
});
