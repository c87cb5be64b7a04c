import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeDataFolder } from "../support/data-folder.ts";
import { GoMachine, skipWithoutGo } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// What the real go command prints of each refusal, word for word, with GOPROXY=modfront,next,direct: the next is never asked.

const versions = ["v1.0.0", "v1.1.0", "v1.2.0"];
const modules = ["corp.example/some", "corp.example/none", "corp.example/plain", "other.example/unlisted"];

const policy = {
  deny: [
    { modules: "corp.example/plain", reason: "only watched", mode: "report" },
    {
      modules: "corp.example/some",
      versions: ">=v1.1.0 <v2.0.0",
      reason: "loses data, see INC-17",
      contact: "#storage",
    },
    { modules: "corp.example/none", reason: "its licence" },
  ],
  allow: [{ modules: "corp.example" }],
  contact: "#go-help",
};

/** What is asked of go, and what it prints; `undefined` where it does what it is asked. */
const rows: readonly (readonly [args: string, printed: readonly string[] | undefined])[] = [
  [
    "mod download corp.example/some@v1.1.0",
    [
      "go: corp.example/some@v1.1.0: reading <proxy>/corp.example/some/@v/v1.1.0.info: 403 Forbidden",
      "\tserver response:",
      "\tcorp.example/some@v1.1.0 is refused by this proxy's policy",
      "\trule: deny[1] (corp.example/some >=v1.1.0 <v2.0.0)",
      "\twhy: loses data, see INC-17",
      "\tinstead: v1.0.0",
      "\task: #storage",
    ],
  ],
  [
    "list -m corp.example/none@latest",
    [
      "go: module corp.example/none: reading <proxy>/corp.example/none/@latest: 403 Forbidden",
      "\tserver response:",
      "\tcorp.example/none@v1.2.0 is refused by this proxy's policy",
      "\trule: deny[2] (corp.example/none)",
      "\twhy: its licence",
      "\task: #go-help",
    ],
  ],
  [
    "list -m corp.example/none@v1.0.0",
    [
      "go: corp.example/none@v1.0.0: reading <proxy>/corp.example/none/@v/v1.0.0.info: 403 Forbidden",
      "\tserver response:",
      "\tcorp.example/none@v1.0.0 is refused by this proxy's policy",
      "\trule: deny[2] (corp.example/none)",
      "\twhy: its licence",
      "\task: #go-help",
    ],
  ],
  [
    "list -m other.example/unlisted@v1.0.0",
    [
      "go: other.example/unlisted@v1.0.0: reading <proxy>/other.example/unlisted/@v/v1.0.0.info: 403 Forbidden",
      "\tserver response:",
      "\tother.example/unlisted@v1.0.0 is refused by this proxy's policy",
      "\trule: allow (no row of policy.allow is about it)",
      "\task: #go-help",
    ],
  ],
  ["mod download corp.example/plain@v1.2.0", undefined],
  ["mod download corp.example/some@v1.0.0", undefined],
];

describe("what go prints of a refusal", { skip: skipWithoutGo }, () => {
  const data = makeDataFolder();
  let upstream: ScriptedUpstream;
  let next: ScriptedUpstream;
  let modfront: ModfrontProcess;

  before(async () => {
    [upstream, next] = await Promise.all([ScriptedUpstream.start(), ScriptedUpstream.start()]);
    for (const path of modules) {
      const fixture = moduleFixture(path);
      upstream.on(`${versionsPath(fixture)}/list`, { body: `${versions.join("\n")}\n` });
      for (const version of versions)
        for (const kind of ["info", "mod", "zip"] as const) {
          const each = moduleFixture(path, version);
          upstream.on(filePath(each, kind), { body: each[kind] });
        }
    }
    const config = {
      policy,
      private: ["corp.example", "other.example"],
      upstreams: [{ patterns: ["corp.example", "other.example"], chain: upstream.url }],
    };
    writeFileSync(join(data.path, "config.json"), JSON.stringify(config));
    modfront = await ModfrontProcess.start(
      ...["--data", join(data.path, "data"), "--config", join(data.path, "config.json"), "--upstream", upstream.url],
    );
  });
  after(async () => {
    await modfront?.[Symbol.asyncDispose]();
    await Promise.all([upstream?.[Symbol.asyncDispose](), next?.[Symbol.asyncDispose]()]);
    data.remove();
  });

  async function go(...args: readonly string[]) {
    const environment = { GONOSUMDB: "*", GOINSECURE: "*" };
    using machine = new GoMachine(`${modfront.url},${next.url},direct`, environment).write("go.mod", "module main\n");
    const run = await machine.go(...args);
    assert.deepEqual(next.requests, []);
    return { ...run, printed: run.stderr.replaceAll(modfront.url, "<proxy>") };
  }

  test("go list -m -versions leaves out what is refused, and latest is the newest that is not", async () => {
    const { stdout } = await go("list", "-m", "-versions", "corp.example/some", "corp.example/plain");
    assert.equal(stdout, "corp.example/some v1.0.0\ncorp.example/plain v1.0.0 v1.1.0 v1.2.0\n");
    assert.equal((await go("list", "-m", "corp.example/some@latest")).stdout, "corp.example/some v1.0.0\n");
  });

  for (const [args, printed] of rows) {
    test(`go ${args}`, async () => {
      const run = await go(...args.split(" "));
      assert.equal(run.code, printed === undefined ? 0 : 1, run.stderr);
      if (printed !== undefined) assert.deepEqual(run.printed.trimEnd().split("\n"), printed);
    });
  }

  test("what is refused was not fetched", () => {
    const fetched = upstream.requests.filter(({ path }) => /\.(?:info|mod|zip)$/.test(path));
    assert.ok(fetched.length > 0);
    assert.ok(
      fetched.every(({ path }) => /\/(?:plain|some\/@v\/v1\.0\.0)/.test(path)),
      JSON.stringify(fetched),
    );
  });
});
