import assert from "node:assert/strict";
import { test } from "node:test";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

const { edge, storage } = synthesise({ aws: { regions: ["eu-central-1"] } });
const statements = statementsOf(edge, "modfront-control");

test("the control plane writes key values, reads the secret of the edge's key, and may do nothing else", () => {
  const actions = statements.flatMap(({ Action }) => Action);
  assert.deepEqual(actions.sort(), [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:GetKey",
    "cloudfront-keyvaluestore:ListKeys",
    "cloudfront-keyvaluestore:UpdateKeys",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "secretsmanager:GetSecretValue",
  ]);
});

test("no statement of its role reaches a module or its row, the credentials of upstreams or any resource there is", () => {
  const [table] = propertiesOf(storage, "AWS::DynamoDB::GlobalTable");
  assert.equal(table?.TableName, "modfront");
  for (const { Action, Resource } of statements) {
    assert.doesNotMatch([Action].flat().join(" "), /^(s3|dynamodb|sqs|lambda|kms):|\*/);
    assert.doesNotMatch(JSON.stringify(Resource), /s3:::|:dynamodb:|:table\/|upstream-credentials|^"\*"$/);
  }
});

test("it is in the edge's region and told where the primary is", () => {
  edge.hasResourceProperties("AWS::Lambda::Function", {
    FunctionName: "modfront-control",
    Environment: { Variables: { MODFRONT_EDGE_SECRET: "modfront/edge", MODFRONT_PRIMARY_REGION: "eu-central-1" } },
  });
  const secret = statements.find(({ Action }) => Action === "secretsmanager:GetSecretValue");
  assert.match(JSON.stringify(secret?.Resource), /:secretsmanager:eu-central-1:/);
});

test("CloudFormation has key values prepared before the edge's code changes, and finished when nothing is left to fail", () => {
  const resources = Object.entries(edge.findResources("Custom::EdgeKeyValues"));
  const byStep = new Map(resources.map(([id, resource]) => [resource.Properties.step, { id, resource }]));
  assert.deepEqual([...byStep.keys()].sort(), ["finish", "prepare"]);
  for (const { resource } of byStep.values()) {
    const properties = ["ServiceToken", "keyValueStoreArn", "step", "version"];
    assert.deepEqual(Object.keys(resource.Properties).sort(), properties);
  }
  const functions = Object.entries(edge.findResources("AWS::CloudFront::Function"));
  for (const [, edgeFunction] of functions) assert.ok(edgeFunction.DependsOn.includes(byStep.get("prepare")?.id));
  const awaited = byStep.get("finish")?.resource.DependsOn as readonly string[];
  for (const type of ["Distribution", "MonitoringSubscription", "OriginAccessControl"]) {
    for (const id of Object.keys(edge.findResources(`AWS::CloudFront::${type}`))) assert.ok(awaited.includes(id), id);
  }
  for (const id of Object.keys(edge.findResources("AWS::CloudWatch::Alarm"))) {
    assert.ok(awaited.includes(id) || id.startsWith("EdgeControl") || id.includes("Control"), id);
  }
});
