import assert from "node:assert/strict";
import { test } from "node:test";
import { keptTypes, type TemplateResources } from "../../lambda/aws/kept-resources.ts";
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
    if (Type !== "AWS::CDK::Metadata") assert.equal(DeletionPolicy, "RetainExceptOnCreate", id);
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
        {
          Id: "uploads",
          Prefix: "-/upload/",
          ExpirationInDays: 1,
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          Status: "Enabled",
        },
        {
          Id: "audit",
          Prefix: "-/audit/",
          ExpirationInDays: 400,
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

test("an event of the audit log is neither overwritten nor deleted, by anybody", () => {
  const all = {
    Effect: "Deny",
    Principal: { AWS: "*" },
    Resource: { "Fn::Join": ["", [bucketArn, "/-/audit/*"]] },
  };
  assert.deepEqual(statement("AuditCreateOnly"), {
    ...all,
    Sid: "AuditCreateOnly",
    Action: "s3:PutObject",
    Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
  });
  assert.deepEqual(statement("AuditStays"), {
    ...all,
    Sid: "AuditStays",
    Action: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
  });
});

test("the audit log is kept as long as the configuration says", () => {
  const { storage: short } = synthesise({ audit: { days: 30 } });
  const [bucket] = propertiesOf<{ readonly LifecycleConfiguration: unknown }>(short, "AWS::S3::Bucket");
  assert.match(JSON.stringify(bucket?.LifecycleConfiguration), /"ExpirationInDays":30,"Id":"audit"/);
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
  storage.allResources("AWS::DynamoDB::Table", { DeletionPolicy: "RetainExceptOnCreate" });
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

test("with an account every name is literal, and each retained resource is of a type that can be taken in again", () => {
  const { storage: own, edge } = synthesise({}, {}, "123456789012");
  const names = ["BucketName", "TableName", "AliasName", "Name"];
  const kept = [own, edge].flatMap((template) =>
    Object.values(template.toJSON().Resources as TemplateResources).filter(({ DeletionPolicy }) =>
      DeletionPolicy?.startsWith("Retain"),
    ),
  );
  assert.deepEqual([...new Set(kept.map(({ Type }) => Type))].sort(), [...keptTypes].sort());
  for (const { Type, Properties = {} } of kept) {
    const named = names.filter((name) => name in Properties);
    // A policy is of its bucket, a key is found by its alias.
    if (!["AWS::S3::BucketPolicy", "AWS::KMS::Key"].includes(Type)) assert.equal(named.length, 1, Type);
    for (const name of named) assert.equal(typeof Properties[name], "string", `${Type} ${name}`);
  }
  own.hasResourceProperties("AWS::S3::Bucket", { BucketName: "modfront-123456789012-us-east-1" });
  edge.hasResourceProperties("AWS::S3::Bucket", { BucketName: "modfront-logs-123456789012" });
});

test("what the rollback of a first deployment cannot remove is made when nothing else is left to fail", () => {
  const resources = storage.toJSON().Resources as Record<string, { readonly Type: string; DependsOn?: string[] }>;
  const idsOf = (type: RegExp) => Object.keys(resources).filter((id) => type.test(resources[id]?.Type ?? ""));
  const [table = ""] = idsOf(/GlobalTable/);
  const [log = ""] = idsOf(/DynamoDB::Table/);
  const others = idsOf(/S3|KMS|Secret/);
  assert.deepEqual(resources[table]?.DependsOn?.toSorted(), others.toSorted());
  assert.deepEqual(resources[log]?.DependsOn, [table]);
});

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
