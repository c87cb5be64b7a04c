import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { S3ModuleStore } from "../../lambda/aws/s3-module-store.ts";
import { storedVersions } from "../../lambda/aws/s3-stored-versions.ts";
import { fileKey, type ModuleVersion, policies } from "../../lambda/proxy/store/layout.ts";
import { CallWatch, makeBucket, s3Client } from "../support/aws-clients.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";

let aws: Ministack;

before(async () => {
  aws = await startMinistack();
});

after(async () => {
  await aws.stop();
});

/** In the order of their keys: "-" sorts before ".", which ends the version, and capitals are escaped by "!". */
const versions: readonly ModuleVersion[] = [
  { path: "github.com/Azure/x", version: "v1.0.0" },
  { path: "github.com/a/b", version: "v1.0.0-pre" },
  { path: "github.com/a/b", version: "v1.0.0" },
  { path: "github.com/a/b", version: "v1.0.1" },
  { path: "tools.example/t", version: "v0.0.0-20240102030405-abcdefabcdef" },
];

test("every version of which a file is stored is found once, whatever else lies in the bucket, in pages of any size", async () => {
  const watch = new CallWatch();
  const client = s3Client(aws, watch);
  const bucket = await makeBucket(client);
  const store = new S3ModuleStore({ client, bucket });
  const put = (key: string) => store.create(key, Buffer.from("x"), policies.internal);
  for (const [i, module] of versions.entries())
    for (const kind of i % 2 ? (["mod"] as const) : (["info", "mod", "zip"] as const)) await put(fileKey(module, kind));
  const others = Array.from({ length: 20 }, (_, i) => String(i).padStart(2, "0"));
  for (const i of others)
    for (const key of [`-/log/1a2b3c4d.modfront/head/${i}`, `sumdb/sum.golang.org/tile/8/0/0${i}`]) await put(key);
  await put("github.com/a/README");
  watch.take();
  for (const limit of [1, 2, 3, 5, 100]) {
    const page = storedVersions(client, bucket);
    const found: ModuleVersion[] = [];
    for (let last: ModuleVersion | undefined; ; ) {
      const some = await page(last, limit);
      assert.ok(some.length <= limit);
      found.push(...some);
      last = some.at(-1);
      if (last === undefined) break;
    }
    assert.deepEqual(found, versions, `pages of ${limit}`);
  }
  watch.take();
  await storedVersions(client, bucket)(undefined, 100);
  assert.deepEqual(watch.take(), { ListObjectsV2Command: 1 });
});
