import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Deployment } from "../support/deployment.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";

// The storage stack alone, by the real command line: a first deployment that fails can be repeated, and one over data that
// an earlier one left takes it in. The tests are a story.

/** What the emulator can import, and what it lets CloudFormation make over what is there: AWS would refuse it. */
const imported = ["AWS::DynamoDB::Table", "AWS::KMS::Alias", "AWS::KMS::Key", "AWS::S3::Bucket"];
const overwritten = [
  "AWS::DynamoDB::GlobalTable",
  "AWS::S3::BucketPolicy",
  "AWS::SecretsManager::Secret",
  "AWS::SecretsManager::Secret",
];

const stack = "modfront-storage-us-east-1";
const bucket = "modfront-000000000000-us-east-1";

let aws: Ministack;
let deployment: Deployment;
let s3: S3Client;
let dynamo: DynamoDBClient;

before(async () => {
  aws = await startMinistack();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const options = { endpoint: aws.endpoint, region: "us-east-1", credentials };
  s3 = new S3Client({ ...options, forcePathStyle: true });
  dynamo = new DynamoDBClient(options);
  deployment = new Deployment(aws);
  await deployment.bootstrap();
  await deployment.synth({});
});

after(async () => {
  await aws?.stop();
  deployment?.remove();
});

async function ours(): Promise<readonly (string | undefined)[]> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { TableNames = [] } = await dynamo.send(new ListTablesCommand({}));
  return [...Buckets.map(({ Name }) => Name), ...TableNames].filter((name) => name?.startsWith("modfront"));
}

test("a first deployment that fails half-way leaves nothing, and can be repeated", async () => {
  // What is made first fails, and then what is made last.
  for (const [broken, property] of [
    ["AWS::KMS::Alias", "AliasName"],
    ["AWS::DynamoDB::Table", "KeySchema"],
  ] as const) {
    deployment.damage(stack, broken, property);
    await assert.rejects(deployment.deploy(stack), /ROLLBACK_COMPLETE/);
    assert.deepEqual(await ours(), [], broken);
    await deployment.synth({});
  }
  await deployment.deploy(stack);
  assert.deepEqual((await ours()).toSorted(), ["modfront", "modfront-log", bucket].toSorted());
});

test("data outlives its stack, and a new deployment takes it in, to have it change with the templates again", async () => {
  const row = { p: { S: "m x" }, s: { S: "v1.0.0" } };
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "x/@v/v1.0.0.mod", Body: "module x\n" }));
  await dynamo.send(new PutItemCommand({ TableName: "modfront-log", Item: row }));
  await deployment.destroy();
  const found = await deployment.adopt(imported);
  assert.deepEqual(found, { [stack]: [...imported, ...overwritten].toSorted() });
  await deployment.deploy(stack);
  assert.match(await deployment.deploy(stack), /\(no changes\)/);
  const file = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "x/@v/v1.0.0.mod" }));
  assert.equal(await file.Body?.transformToString(), "module x\n");
  assert.ok((await dynamo.send(new GetItemCommand({ TableName: "modfront-log", Key: row }))).Item);
});
