import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DynamoTreeHeadStore } from "../../lambda/aws/dynamo-tree-head-store.ts";
import { keyAttributes, logNumberKey } from "../../lambda/aws/table.ts";
import { type CliRun, runCli } from "../support/cli.ts";
import { Detour, type Fate } from "../support/detour.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";

// Our own checksum database, deployed: the real go command with one GOSUMDB line for public and private modules, and nothing
// else set but GOPROXY. The tests are a story: each begins where the one before ended.

const goMod = "module example.com/main\n\ngo 1.25\n";
const own = "e2e.example";
const bucket = "modfront-000000000000-us-east-1";
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
  let detour: Detour;
  let dynamo: DynamoDBClient;
  let lambda: LambdaClient;
  let s3: S3Client;

  before(async () => {
    detour = await Detour.start();
    upstream = await RecordingProxy.start(realUpstream() ?? "");
    scripted = await ScriptedUpstream.start();
    for (const module of [team, major, pseudo]) publish(module);
    const config = {
      private: own,
      upstreams: [
        { patterns: own, chain: scripted.url },
        { patterns: "*", chain: upstream.url },
      ],
      access: { anonymous: "all" },
    };
    site = await Site.start(config, (endpoint) => {
      detour.leadTo(endpoint);
      return { AWS_ENDPOINT_URL_DYNAMODB: detour.url, AWS_ENDPOINT_URL_KMS: detour.url };
    });
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const options = { endpoint: site.aws.endpoint, region: "us-east-1", credentials };
    dynamo = new DynamoDBClient(options);
    lambda = new LambdaClient(options);
    s3 = new S3Client({ ...options, forcePathStyle: true });
    gosumdb = outputOf("Gosumdb");
  });

  after(async () => {
    await site?.stop();
    await upstream?.stop();
    await scripted?.close();
    await detour?.stop();
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

  /** The real CLI with AWS credentials. */
  function cli(...args: readonly string[]): Promise<CliRun> {
    return runCli(args, { environment: { ...site.aws.env, HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent" } });
  }

  async function numberOf(module: ModuleFixture): Promise<string | undefined> {
    const Key = keyAttributes(logNumberKey(module));
    const row = new GetItemCommand({ TableName: "modfront-log", Key, ConsistentRead: true });
    return (await dynamo.send(row)).Item?.n?.N;
  }

  async function isStored(key: string): Promise<boolean> {
    return await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
      () => true,
      () => false,
    );
  }

  test("go get and go mod verify, with an empty cache", async () => {
    using go = machine();
    for (const args of [
      ["get", ...everything.slice(0, 4)],
      ["mod", "verify"],
    ]) {
      const run = await go.go(...args);
      assert.equal(run.code, 0, run.stderr);
    }
  });

  test("modfront log key --stack prints the line, and log check finds nothing wrong with the log", async () => {
    const key = await cli("log", "key", "--stack", "modfront");
    assert.deepEqual([key.code, key.stdout, key.stderr], [0, `GOSUMDB=${gosumdb}\n`, ""]);
    const check = await cli("log", "check", site.url, "--lookups", "--files");
    assert.equal(check.code, 0, check.stdout + check.stderr);
  });

  const busy: Fate = { status: 400, type: "ThrottlingException" };
  const broken: Fate = { status: 500, type: "KMSInternalException" };
  const griefs: readonly (readonly [what: string, call: string, fates: readonly Fate[]])[] = [
    ["KMS throttles", "Sign", [busy, busy]],
    ["the function is killed before its transaction", "TransactWriteItems", ["kill-before"]],
    ["the function is killed after its transaction", "TransactWriteItems", ["kill-after"]],
    ["the function is killed before it signs", "Sign", ["kill-before"]],
    ["the function is killed with a signature", "Sign", ["kill-after"]],
    ["the table throttles the transaction", "TransactWriteItems", [busy]],
  ];

  for (const [i, [what, call, fates]] of griefs.entries()) {
    test(`${what}: the version is there in the end, with one record`, async () => {
      const module = moduleFixture(`${own}/grief${i}`);
      publish(module);
      const killed = detour.killed.length;
      detour.calls.length = 0;
      detour.plan(call, ...fates);
      await download(`${module.path}@${module.version}`);
      assert.ok(detour.calls.filter((each) => each === call).length >= fates.length);
      assert.equal(detour.killed.length - killed, fates.filter((fate) => /^kill-/.test(String(fate))).length);
      assert.notEqual(await numberOf(module), undefined);
      const check = await cli("log", "check", site.url, "--lookups");
      assert.equal(check.code, 0, check.stdout + check.stderr);
    });
  }

  test("while KMS fails a private version is not visible, and it is there when KMS is back", async () => {
    const module = moduleFixture(`${own}/unsigned`);
    publish(module);
    detour.plan("Sign", ...Array<Fate>(60).fill(broken));
    const answer = await fetch(site.url + filePath(module, "zip"));
    assert.equal(answer.status, 503, await answer.text());
    for (const kind of ["info", "mod", "zip"] as const)
      assert.equal(await isStored(filePath(module, kind).slice(1)), false, kind);
    detour.plan("Sign");
    await download(`${module.path}@${module.version}`);
  });

  test("a moved tag is refused with both hashes, also after its files were removed, and the record stands", async () => {
    const number = await numberOf(team);
    const moved = moduleFixture(team.path, team.version, "package moved\n");
    publish(moved);
    for (const kind of ["info", "mod", "zip"] as const)
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: filePath(team, kind).slice(1) }));
    site.edge.reset();
    const answer = await fetch(site.url + filePath(team, "zip"));
    const text = await answer.text();
    assert.equal(answer.status, 403, text);
    assert.match(text, /^SECURITY ERROR: .*h1:\S+.*h1:\S+/);
    assert.equal(await numberOf(team), number);
    publish(team);
    await download(`${team.path}@${team.version}`);
  });

  test("what was stored before there was a log is logged by itself", async () => {
    const before = moduleFixture(`${own}/before`);
    for (const kind of ["info", "mod", "zip"] as const)
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: filePath(before, kind).slice(1), Body: before[kind] }));
    await lambda.send(new InvokeCommand({ FunctionName: "modfront-preheat:live" }));
    await eventually(async () => (await numberOf(before)) !== undefined);
  });

  test("after a fork of sum.golang.org nothing public is fetched until modfront log fork --stack decides", async () => {
    const evidence = { ours: "ours\n", theirs: "theirs\n", decided: false };
    const heads = new DynamoTreeHeadStore(dynamo, "modfront");
    await heads.replace("sum.golang.org fork", undefined, Buffer.from(JSON.stringify(evidence)));
    const path = "/github.com/pkg/errors/@v/v0.9.1.zip";
    assert.equal((await fetch(site.url + path)).status, 502);
    const shown = await cli("log", "fork", "--stack", "modfront");
    assert.deepEqual([shown.code, /undecided/.test(shown.stdout)], [1, true], shown.stderr);
    const decided = await cli("log", "fork", "--keep-ours", "--stack", "modfront");
    assert.equal(decided.code, 0, decided.stderr);
    await download("github.com/pkg/errors@v0.9.1");
  });

  test("with every upstream down and a new, empty edge all of it arrives, with its proofs", async () => {
    await upstream.stop();
    await scripted.close();
    site.edge.reset();
    await download(...everything);
  });
});
