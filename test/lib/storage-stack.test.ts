import assert from "node:assert/strict";
import { test } from "node:test";
import { attributes } from "../../lambda/aws/table.ts";
import { propertiesOf, synthesise } from "../support/synthesis.ts";

const { storage } = synthesise();
const [bucketId = ""] = Object.keys(storage.findResources("AWS::S3::Bucket"));
const bucketArn = { "Fn::GetAtt": [bucketId, "Arn"] };

interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly Readonly<Record<string, unknown>>[] };
}

function statement(sid: string): Record<string, unknown> {
  const policies = propertiesOf<Policy>(storage, "AWS::S3::BucketPolicy");
  const found = policies[0]?.PolicyDocument.Statement.find((each) => each.Sid === sid);
  assert.ok(found, sid);
  return found;
}

test("everything that holds data is retained under a fixed name", () => {
  const rows = [
    ["AWS::S3::Bucket", { "Fn::Join": ["", ["modfront-", { Ref: "AWS::AccountId" }, "-us-east-1"]] }, "BucketName"],
    ["AWS::DynamoDB::GlobalTable", "modfront", "TableName"],
    ["AWS::KMS::Alias", "alias/modfront-signing", "AliasName"],
  ] as const;
  for (const [type, name, property] of rows) storage.hasResource(type, { Properties: { [property]: name } });
  const resources = storage.toJSON().Resources as Record<string, { Type: string; DeletionPolicy?: string }>;
  for (const [id, { Type, DeletionPolicy }] of Object.entries(resources)) {
    if (Type !== "AWS::CDK::Metadata") assert.equal(DeletionPolicy, "Retain", id);
  }
});

test("the bucket is versioned, encrypted and closed, and sweeps staging and unfinished uploads", () => {
  storage.hasResourceProperties("AWS::S3::Bucket", {
    VersioningConfiguration: { Status: "Enabled" },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
    },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    LifecycleConfiguration: {
      Rules: [
        {
          Id: "staging",
          Prefix: "-/staged/",
          ExpirationInDays: 1,
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          Status: "Enabled",
        },
        { Id: "unfinished-uploads", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
        { Id: "removed", NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
      ],
    },
  });
});

test("a write that could overwrite a module file is denied to everybody", () => {
  assert.deepEqual(statement("CreateOnly"), {
    Sid: "CreateOnly",
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: "s3:PutObject",
    NotResource: { "Fn::Join": ["", [bucketArn, "/-/*"]] },
    Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
  });
});

test("nothing but TLS 1.2 reaches the bucket, and only distributions of the account read it", () => {
  const text = JSON.stringify(propertiesOf(storage, "AWS::S3::BucketPolicy"));
  assert.match(text, /"Condition":\{"Bool":\{"aws:SecureTransport":"false"\}\},"Effect":"Deny"/);
  assert.match(text, /"NumericLessThan":\{"s3:TlsVersion":1.2\}/);
  const read = statement("ReadByCloudFront");
  assert.deepEqual([read.Action, read.Principal], ["s3:GetObject", { Service: "cloudfront.amazonaws.com" }]);
  assert.match(JSON.stringify(read.Condition), /"ArnLike":\{"AWS:SourceArn":.*:distribution\/\*/);
});

test("the table is on demand, recoverable, protected, and sweeps by the attribute that memories carry", () => {
  storage.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: "p", KeyType: "HASH" },
      { AttributeName: "s", KeyType: "RANGE" },
    ],
    TimeToLiveSpecification: { AttributeName: attributes.sweep, Enabled: true },
    Replicas: [
      {
        Region: "us-east-1",
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    ],
  });
});

test("claims and log have a table of this region alone, recoverable and protected, of which nothing is swept", () => {
  const [table, ...more] = propertiesOf(storage, "AWS::DynamoDB::Table");
  assert.deepEqual(more, []);
  assert.deepEqual(table, {
    TableName: "modfront-log",
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: "p", KeyType: "HASH" },
      { AttributeName: "s", KeyType: "RANGE" },
    ],
    AttributeDefinitions: [
      { AttributeName: "p", AttributeType: "S" },
      { AttributeName: "s", AttributeType: "S" },
    ],
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  storage.allResources("AWS::DynamoDB::Table", { DeletionPolicy: "Retain" });
});

test("the signing key is Ed25519 and multi-Region from the first day", () => {
  storage.hasResourceProperties("AWS::KMS::Key", {
    KeySpec: "ECC_NIST_EDWARDS25519",
    KeyUsage: "SIGN_VERIFY",
    MultiRegion: true,
  });
});

test("no secret is in the template: both are made by Secrets Manager", () => {
  const secrets = propertiesOf(storage, "AWS::SecretsManager::Secret");
  assert.deepEqual(secrets.map(({ Name }) => Name).sort(), ["modfront/edge", "modfront/upstream-credentials"]);
  for (const secret of secrets) assert.ok(!("SecretString" in secret) && "GenerateSecretString" in secret);
});

test("with `existing` nothing is made that is there already, and everything else stays as it is", () => {
  const again = synthesise({ aws: { existing: true } });
  const all = synthesise();
  assert.deepEqual(again.storage.toJSON().Resources, {});
  const made = (template: typeof all.service) => Object.values(template.toJSON().Resources).map(typeOf).sort();
  assert.deepEqual(made(again.service), made(all.service));
  // The bucket of access logs, with its policy, was retained as well.
  const buckets = ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"];
  assert.deepEqual(
    made(again.edge),
    made(all.edge).filter((type) => !buckets.includes(type)),
  );
  all.edge.allResources("AWS::S3::Bucket", { DeletionPolicy: "Retain" });
  all.edge.allResources("AWS::S3::BucketPolicy", { DeletionPolicy: "Retain" });
});

function typeOf(resource: unknown): string {
  return (resource as { readonly Type: string }).Type;
}

test("another region has the data and the functions; the edge stays in us-east-1 and finds both", () => {
  const abroad = synthesise({ aws: { regions: ["eu-west-1"] } });
  const [table] = propertiesOf<{ readonly Replicas: readonly { readonly Region: string }[] }>(
    abroad.storage,
    "AWS::DynamoDB::GlobalTable",
  );
  assert.equal(table?.Replicas[0]?.Region, "eu-west-1");
  const edge = JSON.stringify(abroad.edge.toJSON());
  assert.match(edge, /-eu-west-1\.s3\.eu-west-1\./);
  assert.match(edge, /\.execute-api\.eu-west-1\./);
  abroad.edge.hasResourceProperties("AWS::Lambda::Function", {
    Environment: { Variables: { MODFRONT_PRIMARY_REGION: "eu-west-1" } },
  });
});
