import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GoMachine, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";

// Our own checksum database, deployed: the real go command with one GOSUMDB line for public and private modules, and nothing
// else set but GOPROXY. The tests are a story: each begins where the one before ended.

const goMod = "module example.com/main\n\ngo 1.25\n";
const own = "e2e.example";
const team = moduleFixture(`${own}/Team/lib`);
const major = moduleFixture(`${own}/lib/v2`, "v2.3.0");
const pseudo = moduleFixture(`${own}/pseudo`, "v0.0.0-20240102030405-abcdefabcdef");

const everything = [
  ...[team, major, pseudo].map(({ path, version }) => `${path}@${version}`),
  "github.com/google/uuid@v1.6.0",
  "github.com/Azure/go-autorest@v14.2.0+incompatible",
  "github.com/kr/logfmt@v0.0.0-20210122060352-19f9bcb100e6",
];

describe("our own checksum database, deployed", { skip: await skipWithoutUpstream() }, () => {
  let upstream: RecordingProxy;
  let scripted: ScriptedUpstream;
  let site: Site;
  let gosumdb = "";

  before(async () => {
    upstream = await RecordingProxy.start(realUpstream() ?? "");
    scripted = await ScriptedUpstream.start();
    for (const module of [team, major, pseudo]) publish(module);
    site = await Site.start({
      private: own,
      upstreams: [
        { patterns: own, chain: scripted.url },
        { patterns: "*", chain: upstream.url },
      ],
      access: { anonymous: "all" },
    });
    gosumdb = outputOf("Gosumdb");
  });

  after(async () => {
    await site?.stop();
    await upstream?.stop();
    await scripted?.close();
  });

  function publish(module: ModuleFixture): void {
    scripted.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
    for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(module, kind), { body: module[kind] });
  }

  function outputOf(part: string): string {
    const outputs = Object.values(site.deployment.outputs).flatMap((each) => Object.entries(each));
    return outputs.find(([name]) => name.includes(part))?.[1] ?? "";
  }

  function machine(): GoMachine {
    return new GoMachine(site.url, { GOSUMDB: gosumdb }).write("go.mod", goMod);
  }

  async function download(...modules: readonly string[]): Promise<void> {
    using go = machine();
    const run = await go.go("mod", "download", "-json", ...modules);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    assert.equal(run.stdout.match(/"Sum": "h1:/g)?.length, modules.length);
  }

  test("the line to paste is an output of the deployment, and what /-/gosumdb says", async () => {
    assert.match(gosumdb, /^[0-9a-f]{8}\.modfront\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
    assert.equal(await (await fetch(`${site.url}/-/gosumdb`)).text(), `${gosumdb}\n`);
    const name = gosumdb.split("+")[0];
    const head = await (await fetch(`${site.url}/sumdb/${name}/latest`)).text();
    assert.match(head, new RegExp(`^go.sum database tree\n0\n.*\n\n— ${name} `));
    assert.equal((await fetch(`${site.url}/sumdb/${name}/supported`)).status, 200);
    assert.equal((await fetch(`${site.url}/sumdb/sum.golang.org/supported`)).status, 200);
  });

  for (const temperature of ["cold", "warm"]) {
    test(`public and private modules with one line, ${temperature}`, async () => {
      await download(...everything);
    });
  }
});
