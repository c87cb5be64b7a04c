import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { DynamoClaimStore } from "../../lambda/aws/dynamo-claim-store.ts";
import { DynamoLeaseStore } from "../../lambda/aws/dynamo-lease-store.ts";
import { DynamoTreeHeadStore } from "../../lambda/aws/dynamo-tree-head-store.ts";
import { DynamoVersionIndex } from "../../lambda/aws/dynamo-version-index.ts";
import { S3ModuleStore } from "../../lambda/aws/s3-module-store.ts";
import { modulePartition } from "../../lambda/aws/table.ts";
import { policies } from "../../lambda/proxy/store/layout.ts";
import { CallWatch, dynamoClient, type Failpoint, makeBucket, makeTable, s3Client } from "../support/aws-clients.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";
import { storedVersions } from "../support/stored-versions.ts";

// What only the AWS adapters promise: the number of calls, the size of rows, headers, and what a lost answer does.
// That they keep their interfaces' contracts is shown by contract.emulator.ts.

let aws: Ministack;
const failpoints: readonly Failpoint[] = ["lost-request", "lost-answer"];

before(async () => {
  aws = await startMinistack();
});

after(async () => {
  await aws.stop();
});

describe("S3ModuleStore", () => {
  const folder = mkdtempSync(join(tmpdir(), "modfront-s3-"));
  after(() => rmSync(folder, { recursive: true }));

  async function makeStore() {
    const watch = new CallWatch();
    const client = s3Client(aws, watch);
    const bucket = await makeBucket(client);
    watch.take();
    return { watch, client, bucket, store: new S3ModuleStore({ client, bucket, partSize: 5 * 1024 * 1024 }) };
  }

  function largeFile(bytes: Uint8Array): { readonly path: string } {
    const path = join(folder, `large-${randomBytes(4).toString("hex")}`);
    writeFileSync(path, bytes);
    return { path };
  }

  test("one call each, parts + 3 for a large file", async () => {
    const { watch, store } = await makeStore();
    await store.create("a", Buffer.from("small"), policies.internal);
    assert.deepEqual(watch.take(), { PutObjectCommand: 1 });
    await store.read("a");
    assert.deepEqual(watch.take(), { GetObjectCommand: 1 });
    await store.size("a");
    assert.deepEqual(watch.take(), { HeadObjectCommand: 1 });
    await store.create("b", largeFile(Buffer.alloc(11 * 1024 * 1024)), policies.internal);
    assert.deepEqual(watch.take(), {
      HeadObjectCommand: 1,
      CreateMultipartUploadCommand: 1,
      UploadPartCommand: 3,
      CompleteMultipartUploadCommand: 1,
    });
  });

  test("a large file arrives whole, in order, with its headers; a second one changes nothing", async () => {
    const { client, bucket, store } = await makeStore();
    const bytes = randomBytes(12 * 1024 * 1024 + 17);
    const file = largeFile(bytes);
    assert.equal(await store.create("large.zip", file, policies.zip), true);
    assert.equal(await store.create("large.zip", largeFile(randomBytes(6 * 1024 * 1024)), policies.internal), false);
    const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "large.zip" }));
    assert.ok(bytes.equals((await object.Body?.transformToByteArray()) ?? new Uint8Array()));
    assert.deepEqual([object.ContentType, object.CacheControl], [policies.zip.contentType, policies.zip.cacheControl]);
  });

  test("of two large files at the same moment one wins, and no upload is left over", async () => {
    const { client, bucket, store } = await makeStore();
    const contents = [1, 2, 3].map((byte) => Buffer.alloc(6 * 1024 * 1024, byte));
    const told = await Promise.all(
      contents.map((bytes) => store.create("race.zip", largeFile(bytes), policies.internal)),
    );
    assert.equal(told.filter((stored) => stored).length, 1);
    const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "race.zip" }));
    const stored = Buffer.from((await object.Body?.transformToByteArray()) ?? new Uint8Array());
    assert.ok(stored.equals(contents[told.indexOf(true)] ?? Buffer.alloc(0)));
    const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    assert.deepEqual(left.Uploads ?? [], []);
  });

  for (const failpoint of failpoints) {
    test(`a ${failpoint} of a put or of a completion ends with the file stored`, async () => {
      const { watch, client, bucket, store } = await makeStore();
      watch.breakNext("PutObjectCommand", failpoint);
      await store.create("small", Buffer.from("once"), policies.internal);
      assert.equal(Buffer.from((await store.read("small")) ?? []).toString(), "once");
      watch.breakNext("CompleteMultipartUploadCommand", failpoint);
      await store.create("large", largeFile(Buffer.alloc(6 * 1024 * 1024, 1)), policies.internal);
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "large" }));
      assert.equal(head.ContentLength, 6 * 1024 * 1024);
    });
  }

  test("in a bucket with versions a removed file leaves a marker and its bytes, and its key is free", async () => {
    const { client, bucket, store, watch } = await makeStore();
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    await store.create("a", Buffer.from("first"), policies.zip);
    watch.take();
    watch.breakNext("DeleteObjectCommand", "lost-answer");
    await store.remove("a");
    assert.deepEqual(watch.take(), { DeleteObjectCommand: 1 });
    assert.equal(await store.size("a"), undefined);
    const left = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    assert.equal(left.Versions?.length, 1);
    assert.ok((left.DeleteMarkers?.length ?? 0) > 0);
    assert.equal(await store.create("a", Buffer.from("second"), policies.zip), true);
    assert.equal(await store.create("a", largeFile(Buffer.alloc(6 << 20)), policies.zip), false);
    assert.equal(Buffer.from((await store.read("a")) ?? []).toString(), "second");
  });

  test("a bucket that does not exist is store-failed and its name is not in the message", async () => {
    const client = s3Client(aws, new CallWatch());
    const store = new S3ModuleStore({ client, bucket: "no-such-bucket" });
    await assert.rejects(store.create("a", Buffer.from("a"), policies.internal), {
      code: "store-failed",
      message: "storing a file failed",
    });
  });
});

describe("the table", () => {
  async function makeTableAndWatch() {
    const watch = new CallWatch();
    const client = dynamoClient(aws, watch);
    const table = await makeTable(client);
    watch.take();
    return { watch, client, table };
  }

  test("a module is one Query, every other method of the index one call", async () => {
    const { watch, client, table } = await makeTableAndWatch();
    const index = new DynamoVersionIndex(client, table);
    await index.addVersion("example.com/m", "v1.0.0", 1, {});
    assert.deepEqual(watch.take(), { UpdateItemCommand: 2 });
    await index.remember("example.com/m", "list", { text: "v1.0.0\n", freshUntil: 5 });
    await index.remember("example.com/m", "query main", { text: "x", freshUntil: 5 });
    assert.deepEqual(watch.take(), { PutItemCommand: 2 });
    assert.deepEqual(await index.module("example.com/m"), {
      versions: [{ version: "v1.0.0", firstSeen: 1, flags: [] }],
      list: { text: "v1.0.0\n", freshUntil: 5 },
      latest: undefined,
    });
    assert.deepEqual(watch.take(), { QueryCommand: 1 });
    await index.recall("example.com/m", "query main");
    assert.deepEqual(watch.take(), { GetItemCommand: 1 });
  });

  test("a version's row is under 100 bytes and only memories and leases can be swept", async () => {
    const { client, table } = await makeTableAndWatch();
    const index = new DynamoVersionIndex(client, table);
    const path = `example.com/${"long/".repeat(40)}m`;
    const version = "v0.0.0-20240102030405-abcdefabcdef";
    await index.addVersion(path, version, 1_732_700_000_000, { zipHash: "h1:zip" });
    for (const flag of ["yanked", "evicted"] as const) await index.setFlag(path, version, flag, true);
    await index.remember(path, "missing v1.0.0.zip", { text: "", freshUntil: 1_700_000_000_000 });
    const leases = new DynamoLeaseStore(client, table);
    await leases.acquire("a@v1", 0, 10);
    await new DynamoTreeHeadStore(client, table).replace("sum.golang.org", undefined, Buffer.from("note"));
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    const rows = Items.map((item) => ({
      kind: `${item.p?.S?.[0]} ${item.s?.S?.[0]}`,
      bytes: Object.entries(item).reduce(
        (sum, [name, value]) => sum + name.length + (value.S ?? value.N ?? value.SS?.join("") ?? "").length,
        0,
      ),
      swept: item.x?.N,
    }));
    assert.deepEqual(rows.map((row) => row.kind).sort(), ["h h", "l l", "m f", "m n", "m v"]);
    assert.equal(rows.find((row) => row.kind === "m v")?.bytes, 77);
    assert.deepEqual(
      rows
        .filter((row) => row.swept !== undefined)
        .map((row) => [row.kind, row.swept])
        .sort(),
      [
        ["l l", "86400"],
        ["m n", String(1_700_000_000 + 86_400)],
      ],
    );
  });

  test("the list of a module with 10,000 pseudo-versions is remembered within a row", async () => {
    const { client, table } = await makeTableAndWatch();
    const index = new DynamoVersionIndex(client, table);
    const lines = Array.from({ length: 10_000 }, (_, i) => `v1.${i % 100}.${i}-pre.${randomBytes(6).toString("hex")}`);
    const text = `${lines.join("\n")}\n`;
    await index.remember("example.com/m", "list", { text, freshUntil: 1 });
    assert.equal((await index.module("example.com/m")).list?.text, text);
  });

  test("the modules of the index are each told once, whatever else is in the table", async () => {
    const { client, table } = await makeTableAndWatch();
    const index = new DynamoVersionIndex(client, table);
    for (const [path, version] of [
      ["a.example/x", "v1.0.0"],
      ["a.example/x", "v1.1.0"],
      ["b.example/y", "v0.1.0"],
    ] as const)
      await index.addVersion(path, version, 1, {});
    await index.remember("c.example/z", "list", { text: "", freshUntil: 1 });
    await index.addVersion("a.example/x", "v1.2.0", 9, {});
    const modules: (readonly [path: string, newest: number])[] = [];
    for await (const { path, newest } of index.modules()) modules.push([path, newest]);
    assert.deepEqual(modules.sort(), [
      ["a.example/x", 9],
      ["b.example/y", 1],
    ]);
  });

  test("rows of the first version, a key and nothing else, are read, and none of it is made up", async () => {
    const { client, table } = await makeTableAndWatch();
    const path = "old.example/m";
    const p = { S: modulePartition(path) };
    for (const Item of [
      { p, s: { S: "v1.0.0" } },
      { p, s: { S: "m" }, path: { S: path } },
    ])
      await client.send(new PutItemCommand({ TableName: table, Item }));
    const index = new DynamoVersionIndex(client, table);
    const old = { version: "v1.0.0", firstSeen: 0, flags: [] };
    assert.deepEqual((await index.module(path)).versions, [old]);
    assert.equal(await index.facts(path, "v1.0.0"), undefined);
    await index.addVersion(path, "v1.0.0", 5, { zipSize: 1 });
    await index.addVersion(path, "v1.1.0", 5, {});
    assert.deepEqual((await index.module(path)).versions, [old, { version: "v1.1.0", firstSeen: 5, flags: [] }]);
    assert.deepEqual(await index.facts(path, "v1.0.0"), { zipSize: 1 });
    const modules: unknown[] = [];
    for await (const each of index.modules()) modules.push(each);
    assert.deepEqual(modules, [{ path, newest: 5 }]);
  });

  for (const failpoint of failpoints) {
    test(`a ${failpoint} while a lease is taken still gives it to the one who asked`, async () => {
      const { watch, client, table } = await makeTableAndWatch();
      const leases = new DynamoLeaseStore(client, table);
      watch.breakNext("UpdateItemCommand", failpoint);
      const state = await leases.acquire("m@v1.0.0", 1000, 2000);
      assert.equal(state?.heldUntil, 2000);
      assert.equal(await leases.acquire("m@v1.0.0", 1500, 2500), undefined);
      assert.equal(await leases.renew("m@v1.0.0", state?.fence ?? 0, 3000), true);
    });

    test(`a ${failpoint} while a head or a version is written leaves it written`, async () => {
      const { watch, client, table } = await makeTableAndWatch();
      const heads = new DynamoTreeHeadStore(client, table);
      watch.breakNext("PutItemCommand", failpoint);
      await heads.replace("db", undefined, Buffer.from("head 1"));
      assert.equal(Buffer.from((await heads.read("db")) ?? []).toString(), "head 1");
      const index = new DynamoVersionIndex(client, table);
      watch.breakNext("UpdateItemCommand", failpoint);
      await index.addVersion("example.com/m", "v1.0.0", 1, {});
      assert.deepEqual(await storedVersions(index, "example.com/m"), ["v1.0.0"]);
      watch.breakNext("UpdateItemCommand", failpoint, 1);
      await index.addVersion("example.com/m", "v1.1.0", 1, { zipSize: 1 });
      assert.deepEqual(await storedVersions(index, "example.com/m"), ["v1.0.0", "v1.1.0"]);
      watch.breakNext("UpdateItemCommand", failpoint);
      assert.equal(await index.setFlag("example.com/m", "v1.0.0", "evicted", true), true);
      for (const sound of [0, 1]) {
        watch.breakNext("DeleteItemCommand", failpoint, sound);
        await index.removeVersion("example.com/m", `v1.${sound}.0`);
      }
      assert.deepEqual(await storedVersions(index, "example.com/m"), []);
      assert.equal(await index.facts("example.com/m", "v1.1.0"), undefined);
    });

    test(`a ${failpoint} while a version is claimed tells which claim stands`, async () => {
      const { watch, client, table } = await makeTableAndWatch();
      const claims = new DynamoClaimStore(client, table);
      const module = { path: "corp.example/m", version: "v1.0.0" };
      const claim = { zip: "h1:zip", goMod: "h1:mod", info: "00" };
      watch.breakNext("PutItemCommand", failpoint);
      assert.deepEqual(await claims.claim(module, claim), claim);
      watch.breakNext("PutItemCommand", failpoint);
      assert.deepEqual(await claims.claim(module, { ...claim, zip: "h1:moved" }), claim);
      assert.deepEqual(watch.take(), { PutItemCommand: 2 });
      assert.deepEqual(await claims.read(module), claim);
      assert.deepEqual(watch.take(), { GetItemCommand: 1 });
    });
  }

  test("a table that does not exist is store-failed in our words", async () => {
    const client = dynamoClient(aws, new CallWatch());
    const rejected = { code: "store-failed", message: "reading the index failed" };
    await assert.rejects(new DynamoVersionIndex(client, "no-such-table").module("a.example/b"), rejected);
  });
});
