import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DynamoClaimStore } from "../../lambda/aws/dynamo-claim-store.ts";
import { DynamoLeaseStore } from "../../lambda/aws/dynamo-lease-store.ts";
import { DynamoLogReads } from "../../lambda/aws/dynamo-log-reads.ts";
import { DynamoLogStore } from "../../lambda/aws/dynamo-log-store.ts";
import { DynamoPendingRecords } from "../../lambda/aws/dynamo-pending-records.ts";
import { DynamoSignedHeads } from "../../lambda/aws/dynamo-signed-heads.ts";
import { DynamoTreeHeadStore } from "../../lambda/aws/dynamo-tree-head-store.ts";
import { DynamoVersionIndex } from "../../lambda/aws/dynamo-version-index.ts";
import { KmsSigner, readKmsKey } from "../../lambda/aws/kms-signer.ts";
import { S3ModuleStore } from "../../lambda/aws/s3-module-store.ts";
import { Fill } from "../../lambda/proxy/fill/fill.ts";
import { OwnLog } from "../../lambda/proxy/log/own-log.ts";
import { OwnLogReads } from "../../lambda/proxy/log/own-log-reads.ts";
import { parsePath } from "../../lambda/proxy/serve/received-path.ts";
import { type ServeIndexParts, serveIndex } from "../../lambda/proxy/serve/serve.ts";
import type { FillRequest } from "../../lambda/proxy/store/fill-plane.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { systemClock as clock } from "../../lambda/runtime/system-clock.ts";
import { WorkerZipInspector } from "../../lambda/runtime/worker-zip-inspector.ts";
import { openUpstreams } from "../../lambda/upstream/http/open-upstreams.ts";
import {
  CallWatch,
  dynamoClient,
  kmsClient,
  makeBucket,
  makeSigningKey,
  makeTable,
  s3Client,
} from "../support/aws-clients.ts";
import { recordsOf } from "../support/log-records.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// How often each kind of request calls DynamoDB and S3: what docs/cost.md is computed from. The modules are private, so
// that the checksum database's tiles, which are shared by all modules, are not among the calls.

const module = moduleFixture("calls.example/m");
const version = { path: module.path, version: module.version };
let aws: Ministack;
let upstream: ScriptedUpstream;
let watch: CallWatch;
/** Of the log's own function. */
let logWatch: CallWatch;
let log: OwnLog;
let fill: Fill;
let parts: ServeIndexParts;

before(async () => {
  aws = await startMinistack();
  upstream = await ScriptedUpstream.start();
  upstream.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  watch = new CallWatch();
  const dynamo = dynamoClient(aws, watch);
  const s3 = s3Client(aws, watch);
  const table = await makeTable(dynamo);
  const bucket = await makeBucket(s3);
  const store = new S3ModuleStore({ client: s3, bucket });
  log = await openLog(table, bucket);
  const index = new DynamoVersionIndex(dynamo, table);
  const router = openUpstreams(
    { upstreams: [{ patterns: ["calls.example"], chain: upstream.url }], private: ["calls.example"], allowHosts: [] },
    { now: () => performance.now(), version: "0" },
  );
  let count = 0;
  fill = new Fill({
    store,
    index,
    claims: new DynamoClaimStore(dynamo, table),
    leases: new DynamoLeaseStore(dynamo, table),
    heads: new DynamoTreeHeadStore(dynamo, table),
    router,
    sumdb: undefined,
    ownLog: {
      name: "calls.modfront",
      log,
      reads: new OwnLogReads({
        store: new DynamoLogReads(dynamo, table),
        heads: new DynamoSignedHeads(dynamo, table),
        files: store,
        verifierKey: log.verifierKey,
        clock,
      }),
    },
    inspector: new WorkerZipInspector(new URL("../../lambda/runtime/zip-worker.ts", import.meta.url)),
    temporaryFiles: new FolderTemporaryFiles(tmpdir(), () => `modfront-calls-${process.pid}-${count++}`),
    clock,
    policy: { allow: [], deny: [] },
    ttl: { list: 60, query: 60, notFound: 60 },
    timeouts: { total: 900 },
  });
  parts = { fill, index, clock, isPrivate: () => true };
  watch.take();
  logWatch.take();
});

/** As the log's function has it. */
async function openLog(table: string, bucket: string): Promise<OwnLog> {
  logWatch = new CallWatch();
  const dynamo = dynamoClient(aws, logWatch);
  const kms = kmsClient(aws, logWatch);
  const key = await readKmsKey(kms, await makeSigningKey(kms));
  return new OwnLog({
    store: new DynamoLogStore(dynamo, table),
    pending: new DynamoPendingRecords(dynamo, table),
    heads: new DynamoSignedHeads(dynamo, table),
    files: new S3ModuleStore({ client: s3Client(aws, logWatch), bucket }),
    signer: new KmsSigner(kms, key, "calls.modfront"),
    clock,
  });
}

after(async () => {
  await upstream.close();
  await aws.stop();
});

const info: FillRequest = { kind: "info", module: version };
const listPath = `/${join(module.path, "@v/list")}`;

type Calls = Readonly<Record<string, number>>;

/** In the order of a cold module: what each asks for, its calls, and those of the log's function. */
const rows: readonly (readonly [what: string, ask: () => Promise<unknown>, calls: Calls, ofLog?: Calls])[] = [
  [
    "a cold .info of a private version: all three files looked for, staged, claimed, logged, written, made visible",
    () => fill.fill(info),
    {
      GetObjectCommand: 4,
      HeadObjectCommand: 1,
      // Whether our own log has a record, before there is a claim.
      BatchGetItemCommand: 1,
      GetItemCommand: 2,
      UpdateItemCommand: 4,
      // Three staged, three stored, and the claim.
      PutObjectCommand: 6,
      PutItemCommand: 1,
      DeleteObjectCommand: 3,
    },
    {
      PutItemCommand: 2,
      QueryCommand: 2,
      GetItemCommand: 4,
      BatchGetItemCommand: 2,
      TransactWriteItemsCommand: 1,
      SignCommand: 1,
      PutObjectCommand: 1,
      ListObjectsV2Command: 2,
    },
  ],
  [
    "its lookup in our own log",
    () => fill.fill({ kind: "lookup", database: "calls.modfront", module: version }),
    { BatchGetItemCommand: 2, GetItemCommand: 1 },
  ],
  ["an .info that the bucket would not give to CloudFront", () => fill.fill(info), { GetObjectCommand: 1 }],
  ["a .zip that came in with its .info", () => fill.fill({ kind: "zip", module: version }), { HeadObjectCommand: 1 }],
  [
    "a list that nobody asked for within the last minute",
    () => serveIndex(parts, parsePath(listPath)),
    { QueryCommand: 2, GetItemCommand: 1, PutItemCommand: 1 },
  ],
  ["a list", () => serveIndex(parts, parsePath(listPath)), { QueryCommand: 1 }],
];

for (const [what, ask, calls, ofLog = {}] of rows) {
  test(what, async () => {
    await ask();
    assert.deepEqual([watch.take(), logWatch.take()], [calls, ofLog]);
  });
}

test("latest is one Query once it is known", async () => {
  const latest = `/${join(module.path, "@latest")}`;
  await serveIndex(parts, parsePath(latest));
  watch.take();
  await serveIndex(parts, parsePath(latest));
  assert.deepEqual(watch.take(), { QueryCommand: 1 });
});

test("25 records that were left are one transaction and one signature, and nothing left is some reads", async () => {
  await log.enqueue(recordsOf(25));
  logWatch.take();
  assert.equal(await log.drain(), 25);
  assert.deepEqual(logWatch.take(), {
    QueryCommand: 4,
    GetItemCommand: 3,
    BatchGetItemCommand: 2,
    TransactWriteItemsCommand: 1,
    SignCommand: 1,
    GetObjectCommand: 1,
    PutItemCommand: 1,
    PutObjectCommand: 1,
    ListObjectsV2Command: 1,
  });
  assert.equal(await log.drain(), 0);
  assert.deepEqual(logWatch.take(), {
    QueryCommand: 1,
    GetItemCommand: 2,
    BatchGetItemCommand: 1,
    GetObjectCommand: 1,
    ListObjectsV2Command: 1,
  });
});
