import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DirectSource, directModules } from "../support/direct-source.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine, skipWithoutGo } from "../support/go-command.ts";
import { Site } from "../support/site.ts";

// A deployment with private modules straight from a git server that wants a token, which lies in a secret of its own. The
// server is in this process, so that no git is needed. The tests are a story: each begins where the one before ended.

const token = "glpat-5f4e3d2c1b0a";
const { suffixed: module } = directModules;
const program = `package main\n\nimport lib "${module}"\n\nfunc main() { print(lib.Name) }\n`;
const zip = (version: string) => `/${module}/@v/${version}.zip`;

describe("direct, deployed", { skip: skipWithoutGo }, () => {
  let source: DirectSource;
  let site: Site;

  before(async () => {
    source = await DirectSource.start(module);
    source.commit(module, "package lib\n\nconst Name = `two`\n", "v1.1.0");
    source.authorization = `Basic ${Buffer.from(`oauth2:${token}`).toString("base64")}`;
    const { host } = source.server.url;
    site = await Site.start({
      ...source.config,
      upstreams: [...source.config.upstreams, { patterns: "*", chain: "off" }],
      credentials: [{ match: host, kind: "basic", user: "oauth2", secret: { aws: "corp/git" } }],
      access: { anonymous: "all" },
      sumdb: { name: "off" },
      ttl: { list: 1 },
    });
    const secrets = new SecretsManagerClient({
      endpoint: site.aws.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    await secrets.send(new CreateSecretCommand({ Name: "corp/git", SecretString: token }));
  });

  after(async () => {
    await site?.stop();
    await source?.[Symbol.asyncDispose]();
  });

  async function read(path: string): Promise<string> {
    return (await fetch(`${site.url}/${module}/${path}`)).text();
  }

  async function built(version: string): Promise<void> {
    using machine = new GoMachine(site.url, { GONOSUMDB: "corp.example" })
      .write("go.mod", `module example.com/main\n\ngo 1.25\n\nrequire ${module} ${version}\n`)
      .write("main.go", program);
    const run = await machine.go("build", "-o", "main", ".");
    assert.equal(run.code, 0, run.stderr);
  }

  test("a private module is built, cold and warm", async () => {
    await built("v1.0.0");
    assert.deepEqual(source.shown, [source.authorization]);
    const { length } = source.server.requests;
    site.edge.reset();
    await built("v1.0.0");
    assert.equal(source.server.requests.length, length);
    assert.equal(site.edge.traffic["api /zip"], undefined);
  });

  test("list and latest are those of the repository", async () => {
    assert.equal(await read("@v/list"), "v1.0.0\nv1.1.0\n");
    assert.match(await read("@latest"), /"Version":"v1\.1\.0"/);
  });

  test("a fetch that takes longer than 25 seconds arrives by ?wait, and is made once", async () => {
    source.commit(module, "package lib\n\nconst Name = `three`\n", "v1.2.0");
    source.delay = 28_000;
    await eventually(async () => {
      // The edge keeps a list for a minute, whatever is remembered of it behind.
      site.edge.reset();
      return (await read("@v/list")).includes("v1.2.0");
    });
    const first = await fetch(`${site.url}${zip("v1.2.0")}`, { redirect: "manual" });
    assert.deepEqual([first.status, first.headers.get("location")], [302, `${zip("v1.2.0")}?wait=1`]);
    await built("v1.2.0");
    assert.equal(source.fetched("v1.2.0"), 1);
  });

  test("the token is in no log of the functions", () => {
    assert.ok(!site.aws.log().includes(token));
  });

  test("with the server gone what is stored is built, and the rest names its host", async () => {
    await source[Symbol.asyncDispose]();
    site.edge.reset();
    await built("v1.0.0");
    // By the refs of a moment ago nothing else is there, and that is remembered for each version.
    let version = 0;
    let said = "";
    await eventually(async () => {
      const answer = await fetch(`${site.url}${zip(`v1.9.${version++}`)}`);
      said = await answer.text();
      return answer.status === 502;
    });
    assert.match(said, /^upstream direct cannot read its repository at corp\.example: /);
  });
});
