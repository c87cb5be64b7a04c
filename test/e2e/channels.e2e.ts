import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { get } from "../support/product.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";
import { stackCli } from "../support/stack-cli.ts";

// Two channels of one deployment through the stand-in for CloudFront, which keys its cache by what the policies of the template
// say. The tests are a story: each begins where the one before ended.

const path = "corp.example/m";
const m = `/${path}/@v`;

describe("channels, deployed", () => {
  let [old, next]: ScriptedUpstream[] = [];
  let site: Site;

  before(async () => {
    const rows = [["v1.0.0"], ["v1.0.0", "v1.1.0"]] as const;
    [old, next] = await Promise.all(
      rows.map(async (versions) => {
        const upstream = await ScriptedUpstream.start();
        for (const version of versions) {
          const module = moduleFixture(path, version);
          for (const kind of ["info", "mod", "zip"] as const)
            upstream.on(filePath(module, kind), { body: module[kind] });
        }
        upstream.on(`${versionsPath({ path })}/list`, { body: versions.map((version) => `${version}\n`).join("") });
        const newest = moduleFixture(path, versions.at(-1));
        return upstream.on(`${versionsPath({ path })}/main.info`, { body: newest.info });
      }),
    );
    site = await Site.start({
      private: "corp.example",
      access: { anonymous: "all" },
      upstreams: [{ patterns: "corp.example", chain: old?.url }],
      channels: {
        canary: {
          upstreams: [{ patterns: "corp.example", chain: next?.url }],
          header: { name: "X-Canary", value: "yes" },
        },
        other: {},
      },
      sumdb: { name: "off" },
      ttl: { list: 3600, query: 3600 },
    });
  });

  after(async () => {
    await site?.stop();
    await Promise.all([old?.close(), next?.close()]);
  });

  const body = async (where: string, headers: Record<string, string> = {}) => {
    const { status, body } = await get(site.url, where, headers);
    return `${status} ${body}`;
  };

  test("no list, latest or query of one channel is another's, cached or not, whatever a client says", async () => {
    const forged = { "x-modfront-channel": "canary", "x-modfront-via": "canary /x" };
    const byHeader = { "x-canary": "yes" };
    for (let round = 0; round < 2; round++) {
      assert.equal(await body(`${m}/list`), "200 v1.0.0\n");
      assert.equal(await body(`/~canary${m}/list`), "200 v1.0.0\nv1.1.0\n");
      assert.equal(await body(`${m}/list`, byHeader), "200 v1.0.0\nv1.1.0\n");
      assert.equal(await body(`${m}/list`, forged), "200 v1.0.0\n");
      assert.equal(await body(`/~other${m}/list`, forged), "200 v1.0.0\n");
      assert.match(await body(`/~canary/${path}/@latest`), /^200 .*v1\.1\.0/);
      assert.match(await body(`/${path}/@latest`), /^200 .*v1\.0\.0/);
      assert.match(await body(`/~canary${m}/main.info`), /^200 .*v1\.1\.0/);
      assert.match(await body(`${m}/main.info`), /^200 .*v1\.0\.0/);
    }
    assert.equal(await body(`/~typo${m}/list`), "404 no such channel\n");
  });

  test("a version that comes in through a channel is one entry of the cache for all", async () => {
    site.edge.reset();
    const zip = moduleFixture(path, "v1.1.0").zip;
    for (const where of [`/~canary${m}/v1.1.0.zip`, `${m}/v1.1.0.zip`, `/~other${m}/v1.1.0.zip`])
      assert.equal(Buffer.compare((await get(site.url, where)).body, zip), 0, where);
    assert.equal(site.edge.traffic.cache, 2);
    assert.equal(next?.count(`${m}/v1.1.0.zip`), 1);
    assert.equal(old?.count(`${m}/v1.1.0.zip`), 0);
  });

  test("the verb rolls it back for all, without a deployment, and restores it", async () => {
    const rolled = await stackCli(site, "channel", "rollback", "canary");
    assert.equal(rolled.code, 0, rolled.stderr);
    await eventually(async () => (await body(`/~canary${m}/list`)) === "200 v1.0.0\n");
    assert.equal(await body(`${m}/list`, { "x-canary": "yes" }), "200 v1.0.0\n");
    const listed = await stackCli(site, "channel", "list");
    assert.match(listed.stdout, /^canary\t0\tx-canary: yes\trolled back 20\S+Z\nother\t0\t-\ton\n$/);
    assert.equal((await stackCli(site, "channel", "restore", "canary")).code, 0);
    await eventually(async () => (await body(`/~canary${m}/list`)) === "200 v1.0.0\nv1.1.0\n");
  });
});
