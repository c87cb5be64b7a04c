import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { modulePartition } from "../../lambda/aws/table.ts";
import { fileKey } from "../../lambda/proxy/store/layout.ts";
// Whoever is sent back while a crowd waits may be sent straight to the file, at a name below localhost.
import "../support/localhost-names.ts";
import { GoMachine, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath, zipOf } from "../support/module-fixture.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { type Reply, ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";

// The real app, deployed by the real `cdk deploy` into the emulator, asked by the real go command through a stand-in for
// CloudFront. Public modules come from this machine's own GOPROXY, private ones from a scripted upstream. The tests are a
// story: each begins where the one before ended.

const goMod = "module example.com/main\n\ngo 1.25\n";
const bucket = "modfront-000000000000-us-east-1";
const own = "e2e.example";

/** Short, so that a test can wait for a list to be asked again. */
const listSeconds = 2;

/** Preheated by the configuration, and by a go.sum in the bucket. */
const named = moduleFixture(`${own}/named`);
const summed = moduleFixture(`${own}/summed`, "v1.2.0");

const latest: readonly (readonly [kind: string, module: string, version: RegExp])[] = [
  ["a tagged module", "github.com/google/uuid", /^v1\.\d+\.\d+$/],
  ["+incompatible", "github.com/Azure/go-autorest", /^v14\.\d+\.\d+\+incompatible$/],
  ["capitals", "github.com/BurntSushi/toml", /^v1\.\d+\.\d+$/],
  ["no release", "github.com/kr/logfmt", /^v0\.0\.0-\d{14}-[0-9a-f]{12}$/],
];

describe("deployed", { skip: await skipWithoutUpstream() }, () => {
  let upstream: RecordingProxy;
  let scripted: ScriptedUpstream;
  let site: Site;
  let s3: S3Client;
  let sqs: SQSClient;
  let lambda: LambdaClient;
  let dynamo: DynamoDBClient;
  let config: Record<string, unknown>;

  before(async () => {
    upstream = await RecordingProxy.start(realUpstream() ?? "");
    scripted = await ScriptedUpstream.start();
    publish(named);
    publish(summed);
    config = {
      private: own,
      upstreams: [
        { patterns: own, chain: scripted.url },
        { patterns: "*", chain: upstream.url },
      ],
      access: { anonymous: "all" },
      ttl: { list: listSeconds },
      preheat: { modules: [`${named.path}@${named.version}`], schedule: "rate(1 minute)" },
    };
    site = await Site.start(config);
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const options = { endpoint: site.aws.endpoint, region: "us-east-1", credentials };
    s3 = new S3Client({ ...options, forcePathStyle: true });
    sqs = new SQSClient(options);
    lambda = new LambdaClient(options);
    dynamo = new DynamoDBClient(options);
  });

  after(async () => {
    await site?.stop();
    await upstream?.stop();
    await scripted?.close();
  });

  function publish(module: ModuleFixture, zip: Reply = { body: module.zip }): void {
    scripted
      .on(`${versionsPath(module)}/list`, { body: `${module.version}\n` })
      .on(filePath(module, "info"), { body: module.info })
      .on(filePath(module, "mod"), { body: module.mod })
      .on(filePath(module, "zip"), zip);
  }

  /** A fresh machine that trusts the private modules without a checksum database, as the printed lines say. */
  function machine(): GoMachine {
    return new GoMachine(site.url, { GONOSUMDB: own }).write("go.mod", goMod);
  }

  async function download(...modules: readonly string[]): Promise<void> {
    using go = machine();
    const run = await go.go("mod", "download", "-json", ...modules);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    assert.equal(run.stdout.match(/"Zip":/g)?.length, modules.length);
  }

  async function keys(prefix: string): Promise<readonly string[]> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return Contents.map(({ Key = "" }) => Key);
  }

  async function eventually(what: string, seconds: number, check: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(500)) if (await check()) return;
    assert.fail(`not within ${seconds} s: ${what}`);
  }

  test("a second deploy changes nothing", async () => {
    const said = await site.deployment.deploy();
    assert.equal(said.match(/\(no changes\)/g)?.length, 3, said);
  });

  test("the API refuses what did not come through the edge", async () => {
    const outputs = Object.values(site.deployment.outputs).flatMap((each) => Object.entries(each));
    const id = outputs.find(([name]) => name.includes("RefApi"))?.[1];
    const direct = await site.edge.askApi(String(id), "/list/github.com/google/uuid/@v/list");
    assert.deepEqual(direct, { status: 403, body: "this address answers only through the edge\n" });
  });

  for (const temperature of ["cold", "warm"]) {
    for (const [kind, module, version] of latest) {
      test(`go get ${module}@latest, ${temperature}: ${kind}`, async () => {
        using go = machine();
        const run = await go.go("get", `${module}@latest`);
        assert.equal(run.code, 0, run.stderr);
        const required = readFileSync(join(go.folder, "go.mod"), "utf8");
        assert.match(new RegExp(`^require ${module} (\\S+)`, "m").exec(required)?.[1] ?? required, version);
      });
    }
  }

  test("what the edge or the bucket has costs no function", async () => {
    site.edge.reset();
    const read = async () => {
      for (const kind of ["info", "mod", "zip"]) {
        const answer = await fetch(`${site.url}/github.com/google/uuid/@v/v1.6.0.${kind}`);
        assert.ok((await answer.arrayBuffer()).byteLength > 0 && answer.status === 200);
      }
    };
    await read();
    assert.deepEqual(site.edge.traffic, { bucket: 3 });
    await read();
    assert.deepEqual(site.edge.traffic, { bucket: 3, cache: 3 });
  });

  for (const temperature of ["cold", "warm"]) {
    test(`the graph of prometheus, ${temperature}`, async () => {
      site.edge.reset();
      using go = machine().write("go.mod", `${goMod}\nrequire github.com/prometheus/prometheus v0.310.0\n`);
      const run = await go.go("mod", "download", "-json", "all");
      assert.equal(run.code, 0, run.stderr);
      assert.equal(run.stdout.match(/"Zip":/g)?.length, 249);
      const files = ["api /info", "api /mod", "api /zip"].filter((name) => site.edge.traffic[name] !== undefined);
      if (temperature === "warm") assert.deepEqual(files, []);
    });
  }

  test("64 misses at the same moment fill once", async () => {
    const module = moduleFixture(`${own}/crowd`);
    publish(module);
    const asked = Array.from({ length: 64 }, () => fetch(`${site.url}${filePath(module, "zip")}`));
    const answers = await Promise.all(asked.map(async (answer) => Buffer.from(await (await answer).arrayBuffer())));
    for (const answer of answers) assert.ok(answer.equals(Buffer.from(module.zip)), answer.toString().slice(0, 200));
    for (const kind of ["info", "mod", "zip"] as const) assert.equal(scripted.count(filePath(module, kind)), 1, kind);
  });

  test("a fill that takes longer than 25 seconds arrives by ?wait", async () => {
    const module = moduleFixture(`${own}/slow`);
    publish(module, { body: module.zip, fault: "trickle", every: Math.ceil(32_000 / module.zip.length) });
    const first = await fetch(`${site.url}${filePath(module, "zip")}`, { redirect: "manual" });
    assert.deepEqual([first.status, first.headers.get("location")], [302, `${filePath(module, "zip")}?wait=1`]);
    await download(`${module.path}@${module.version}`);
    assert.equal(scripted.count(filePath(module, "zip")), 1);
  });

  test("a zip of 200 MB arrives, from S3 and not through a function", async () => {
    const base = moduleFixture(`${own}/large`);
    const noise = Array.from({ length: 4 }, (_, i) => ({ name: `noise-${i}.bin`, content: randomBytes(50 << 20) }));
    const prefix = `${base.path}@${base.version}/`;
    const zip = zipOf(
      base,
      noise.map(({ name, content }) => ({ name: prefix + name, content })),
    );
    publish({ ...base, zip });
    await download(`${base.path}@${base.version}`);
    assert.equal(scripted.count(filePath(base, "zip")), 1);
    site.edge.reset();
    const answer = await fetch(`${site.url}${filePath(base, "zip")}`);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(zip));
    assert.deepEqual(site.edge.traffic, { bucket: 1 });
  });

  test("a message that is no job ends among the dead letters", async () => {
    const urlOf = async (QueueName: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
    const QueueUrl = await urlOf("modfront-background");
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"kind":"zip","module":{"path":"../etc"}}' }));
    const dead = await urlOf("modfront-background-dead");
    await eventually("one dead letter", 60, async () => {
      const wanted = new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ["ApproximateNumberOfMessages"] });
      return (await sqs.send(wanted)).Attributes?.ApproximateNumberOfMessages === "1";
    });
  });

  test("a file whose row was lost has it again after the event of the file", async () => {
    const lost = { path: `example.net/lost`, version: "v1.0.0" };
    const Key = { p: { S: modulePartition(lost.path) }, s: { S: lost.version } };
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: fileKey(lost, "info"), Body: `{"Version":"${lost.version}"}` }),
    );
    const row = new GetItemCommand({ TableName: "modfront", Key, ConsistentRead: true });
    await eventually("the row", 60, async () => (await dynamo.send(row)).Item !== undefined);
  });

  test("preheat fires on its schedule and fills what the configuration and a go.sum name", async () => {
    const Body = `${summed.path} ${summed.version} h1:x=\n${summed.path} ${summed.version}/go.mod h1:x=\n`;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "-/preheat/team/go.sum", Body }));
    for (const module of [named, summed]) {
      const key = filePath(module, "zip").slice(1);
      await eventually(key, 150, async () => (await keys(key)).length === 1);
    }
  });

  test("preheat finds a new version of what is stored", async () => {
    const next = moduleFixture(named.path, "v1.1.0");
    publish(next);
    scripted.on(`${versionsPath(named)}/list`, { body: "v1.0.0\nv1.1.0\n" });
    // Until then the remembered list is good, without the new version.
    await sleep(listSeconds * 1000);
    await lambda.send(new InvokeCommand({ FunctionName: "modfront-preheat:live" }));
    await eventually("the new version", 60, async () => (await keys(filePath(next, "zip").slice(1))).length === 1);
  });

  describe("with every upstream down and a new, empty edge", () => {
    before(async () => {
      await upstream.stop();
      await scripted.close();
      site.edge.reset();
    });

    test("stored files arrive, with their proofs", async () => {
      await download("github.com/google/uuid@v1.6.0", `${own}/crowd@v1.0.0`, `${own}/large@v1.0.0`);
    });

    for (const [, module] of latest) {
      test(`go get ${module}@latest`, async () => {
        using go = machine();
        const run = await go.go("get", `${module}@latest`);
        assert.equal(run.code, 0, run.stderr);
      });
    }

    test("what is not stored is an outage that ends the chain, not a 404", async () => {
      const answer = await fetch(`${site.url}/github.com/google/uuid/@v/v1.0.0.zip`);
      assert.equal(answer.status, 502, await answer.text());
    });
  });

  test("destroyed and deployed again, everything stored is there", async () => {
    await site.deployment.destroy();
    assert.ok((await keys(`${own}/crowd/`)).length >= 3);
    // repeated.e2e.ts has a deployment take the data in; what needs it finds it by its names in any case.
    await site.deployment.deploy("modfront-service-us-east-1", "modfront-edge", "--exclusively");
    await site.open();
    await download("github.com/google/uuid@v1.6.0", `${own}/crowd@v1.0.0`);
    const list = await fetch(`${site.url}/${own}/crowd/@v/list`);
    assert.equal(await list.text(), "v1.0.0\n");
  });
});
