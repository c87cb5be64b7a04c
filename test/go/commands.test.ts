import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { dataFolder, makeDataFolder } from "../support/data-folder.ts";
import { GoMachine, type GoRun, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";

// What developers type, each on a fresh machine, through `npm start` and the real upstream; then again without upstream.

const goMod = (...requirements: readonly string[]) =>
  `module example.com/main\n\ngo 1.25\n${requirements.map((each) => `\nrequire ${each}`).join("")}\n`;

const program = 'package main\n\nimport "github.com/google/uuid"\n\nfunc main() { print(uuid.Nil.String()) }\n';

const latest: readonly (readonly [kind: string, module: string, version: RegExp])[] = [
  ["a tagged module", "github.com/google/uuid", /^v1\.\d+\.\d+$/],
  ["an untagged module", "github.com/kr/logfmt", /^v0\.0\.0-\d{14}-[0-9a-f]{12}$/],
  ["a module without go.mod past v1", "github.com/Azure/go-autorest", /^v14\.\d+\.\d+\+incompatible$/],
  ["a module with capitals", "github.com/BurntSushi/toml", /^v1\.\d+\.\d+$/],
];

describe("what developers type, with the real go command", { skip: await skipWithoutUpstream() }, () => {
  const data = makeDataFolder();
  let upstream: RecordingProxy;
  let modfront: ModfrontProcess;

  before(async () => {
    upstream = await RecordingProxy.start(realUpstream() ?? "");
    modfront = await ModfrontProcess.start("--data", data.path, "--upstream", upstream.url);
  });
  after(async () => {
    await modfront?.[Symbol.asyncDispose]();
    await upstream?.stop();
    data.remove();
  });

  /** Runs go in a fresh main module with the program above. */
  async function goIn(mod: string, ...args: readonly string[]): Promise<GoRun & { readonly goMod: string }> {
    using machine = new GoMachine(modfront.url).write("go.mod", mod).write("main.go", program);
    const run = await machine.go(...args);
    return { ...run, goMod: readFileSync(join(machine.folder, "go.mod"), "utf8") };
  }

  async function getLatest(module: string, version: RegExp): Promise<void> {
    const run = await goIn(goMod(), "get", `${module}@latest`);
    assert.equal(run.code, 0, run.stderr);
    const required = new RegExp(`^(?:require |\\t)${module} (\\S+)`, "m").exec(run.goMod)?.[1] ?? run.goMod;
    assert.match(required, version);
  }

  for (const [kind, module, version] of latest)
    test(`go get ${module}@latest: ${kind}`, () => getLatest(module, version));

  test("go list -m -versions lists releases in order, and no pseudo-version", async () => {
    const run = await goIn(goMod(), "list", "-m", "-versions", "github.com/google/uuid");
    assert.match(run.stdout, /^github\.com\/google\/uuid v1\.0\.0 v1\.1\.0 v1\.1\.1 .*v1\.5\.0 v1\.6\.0/);
    assert.doesNotMatch(run.stdout, /v0\.0\.0-/);
  });

  test("go list -m -u all knows the update", async () => {
    const run = await goIn(goMod("github.com/google/uuid v1.3.0"), "list", "-m", "-u", "all");
    assert.match(run.stdout, /^example\.com\/main\ngithub\.com\/google\/uuid v1\.3\.0 \[v1\.\d+\.\d+\]\n$/, run.stderr);
  });

  test("go mod tidy finds the module of an import", async () => {
    const run = await goIn(goMod(), "mod", "tidy");
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.goMod, /^require github\.com\/google\/uuid v1\.\d+\.\d+$/m);
  });

  test("go build makes a program that runs, and go mod verify agrees with its modules", async () => {
    using machine = new GoMachine(modfront.url)
      .write("go.mod", goMod("github.com/google/uuid v1.3.0"))
      .write("main.go", program);
    const build = await machine.go("build", "-o", "main", ".");
    assert.equal(build.code, 0, build.stderr);
    const ran = spawnSync(join(machine.folder, "main"), { encoding: "utf8" });
    assert.equal(ran.stderr, "00000000-0000-0000-0000-000000000000");
    assert.equal((await machine.go("mod", "verify")).stdout, "all modules verified\n");
  });

  test("go install makes a tool that runs", async () => {
    using machine = new GoMachine(modfront.url);
    const install = await machine.go("install", "golang.org/x/tools/cmd/goyacc@v0.30.0");
    assert.equal(install.code, 0, install.stderr);
    assert.match(spawnSync(machine.program("goyacc"), ["-h"], { encoding: "utf8" }).stderr, /^Usage of /);
  });

  for (const [what, wanted] of [
    ["an unknown module", "example.com/no/such-module@latest"],
    ["an unknown version", "github.com/google/uuid@v1.99.0"],
  ] as const) {
    test(`${what} is one clean line: what, and which upstream says so`, async () => {
      const run = await goIn(goMod(), "get", wanted);
      assert.equal(run.code, 1);
      const said = /server response:\s+(.*)\n$/s.exec(run.stderr)?.[1] ?? "";
      assert.match(
        said,
        new RegExp(`^(not found: )?upstream ${upstream.url} (refuses it: )?answered 40[034].*$`),
        run.stderr,
      );
    });
  }

  test("two machines at once, through two processes on one data folder, fetch nothing twice", async (t) => {
    const shared = dataFolder(t);
    await using recorded = await RecordingProxy.start(realUpstream() ?? "");
    const flags = ["--data", shared, "--upstream", recorded.url];
    await using one = await ModfrontProcess.start(...flags);
    await using two = await ModfrontProcess.start(...flags);
    const runs = await Promise.all(
      [one, two].map(async ({ url }) => {
        const graph = goMod("github.com/golang/groupcache v0.0.0-20241129210726-2c02b8208cf8");
        using machine = new GoMachine(url).write("go.mod", graph);
        return await machine.go("mod", "download", "all");
      }),
    );
    for (const run of runs) assert.equal(run.code, 0, run.stderr);
    const files = recorded.served.filter((target) => target.includes("/@v/"));
    assert.deepEqual(files.toSorted(), [...new Set(files)].sort());
    assert.ok(files.length > 0);
  });

  describe("when the upstream is down", () => {
    before(() => upstream.stop());

    for (const [, module, version] of latest) test(`go get ${module}@latest`, () => getLatest(module, version));

    test("go list -m -u all and go mod tidy", async () => {
      const list = await goIn(goMod("github.com/google/uuid v1.3.0"), "list", "-m", "-u", "all");
      assert.match(list.stdout, /^example\.com\/main\ngithub\.com\/google\/uuid v1\.3\.0 \[v1\.\d+\.\d+\]\n$/);
      assert.equal((await goIn(goMod(), "mod", "tidy")).code, 0);
    });

    test("what is not stored is an outage, not unknown", async () => {
      const run = await goIn(goMod(), "get", "github.com/pkg/errors@v0.9.1");
      assert.equal(run.code, 1);
      assert.match(run.stderr, /: 502 Bad Gateway\n\tserver response: upstream http:\/\/127\.0\.0\.1:\d+ .*\n$/);
    });
  });
});
