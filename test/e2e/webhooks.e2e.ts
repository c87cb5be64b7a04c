import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DirectSource, directModules } from "../support/direct-source.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine, skipWithoutGo } from "../support/go-command.ts";
import { Site } from "../support/site.ts";
import { deliver, delivery, type Sender, senders } from "../support/webhook-deliveries.ts";

// A hook to a deployment: what CloudFront's stand-in and the index keep is good for an hour, so that what is seen before was told.

const { suffixed: module } = directModules;
const sender = senders.github as Sender;
const hour = 3_600;

describe("a webhook, deployed", { skip: skipWithoutGo }, () => {
  let source: DirectSource;
  let site: Site;

  before(async () => {
    source = await DirectSource.start(module);
    site = await Site.start({
      ...source.config,
      upstreams: [...source.config.upstreams, { patterns: "*", chain: "off" }],
      webhooks: {
        hub: { kind: "github", secret: { aws: "corp/hook" }, repositories: { [sender.repository]: module } },
      },
      access: { anonymous: "all" },
      sumdb: { name: "off" },
      ttl: { list: hour, query: hour, notFound: hour },
    });
    const { endpoint } = site.aws;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const secrets = new SecretsManagerClient({ endpoint, region: "us-east-1", credentials });
    await secrets.send(new CreateSecretCommand({ Name: "corp/hook", SecretString: sender.secret }));
  });

  after(async () => {
    await site?.stop();
    await source?.[Symbol.asyncDispose]();
  });

  test("a tag is seen by go through the edge's cache when the hook has come, and not before", async () => {
    using machine = new GoMachine(site.url, { GONOSUMDB: "corp.example" }).write(
      "go.mod",
      "module example.com/main\n\ngo 1.25\n",
    );
    const versions = async () => (await machine.go("list", "-m", "-versions", module)).stdout;
    assert.equal(await versions(), `${module} v1.0.0\n`);
    source.commit(module, "package lib\n\nconst Name = `two`\n", "v1.1.0");
    const kept = site.edge.traffic.cache ?? 0;
    assert.equal(await versions(), `${module} v1.0.0\n`);
    assert.ok((site.edge.traffic.cache ?? 0) > kept, "the list is kept at the edge");
    assert.deepEqual(await deliver(site.url, "hub", delivery(sender)), [202, "the repository is looked at"]);
    await eventually(async () => (await versions()) === `${module} v1.0.0 v1.1.0\n`);
  });

  test("what is not signed, or was taken before, is refused or not done, and no secret is in a log", async () => {
    const { headers, body } = delivery(sender);
    const { [sender.proof]: _, ...without } = headers;
    assert.equal((await deliver(site.url, "hub", { headers: without, body }))[0], 401);
    assert.equal((await deliver(site.url, "hub", { headers, body: `${body} ` }))[0], 403);
    assert.equal((await deliver(site.url, "hub", { headers, body }))[0], 202);
    assert.deepEqual(await deliver(site.url, "hub", { headers, body }), [202, "this delivery was taken before"]);
    assert.equal((await deliver(site.url, "nobody", { headers, body }))[0], 404);
    assert.ok(!site.aws.log().includes(sender.secret));
  });
});
