import assert from "node:assert/strict";
import { test } from "node:test";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

const { edge, storage, service } = synthesise({ aws: { regions: ["eu-central-1"] } });
const statements = statementsOf(edge, "modfront-control");
const isOfTable = (statement: (typeof statements)[number]) => /"dynamodb:/.test(JSON.stringify(statement.Action));

test("the control plane writes key values and records of tokens, reads rulings and the secret of the edge's key, and no more", () => {
  const actions = statements.flatMap(({ Action }) => Action);
  assert.deepEqual(actions.sort(), [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:ListKeys",
    "cloudfront-keyvaluestore:UpdateKeys",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "secretsmanager:GetSecretValue",
  ]);
});

test("no statement of its role reaches a module or its row, the credentials of upstreams or any resource there is", () => {
  const [table] = propertiesOf(storage, "AWS::DynamoDB::GlobalTable");
  assert.equal(table?.TableName, "modfront");
  for (const { Action, Resource } of statements.filter((statement) => !isOfTable(statement))) {
    assert.doesNotMatch([Action].flat().join(" "), /^(s3|dynamodb|sqs|lambda|kms):|\*/);
    assert.doesNotMatch(JSON.stringify(Resource), /s3:::|:dynamodb:|:table\/|upstream-credentials|^"\*"$/);
  }
});

/** The partitions of a table that a statement reaches. */
function leadingKeys(statement: { readonly Condition?: unknown }): readonly string[] {
  const condition = statement.Condition as Record<string, Record<string, string | string[]>> | undefined;
  return [condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"] ?? []].flat();
}

test("of the index's table it has the rows of tokens and rulings, in the primary region, and no function of the service has one", () => {
  for (const regions of [["eu-central-1"], ["us-east-1"]]) {
    const stacks = synthesise({ aws: { regions } });
    const own = statementsOf(stacks.edge, "modfront-control").filter(isOfTable);
    // What is ruled about modules it copies to the edge, and takes off what waited for that.
    assert.deepEqual(own.map(leadingKeys), [["t tokens"], ["b *"], ["b waiting"]]);
    assert.match(JSON.stringify(own[0]?.Resource), /:table\/modfront"/);
    if (regions[0] === "eu-central-1") assert.match(JSON.stringify(own[0]?.Resource), /:dynamodb:eu-central-1:/);
  }
  const handlers = propertiesOf<{ FunctionName?: string }>(service, "AWS::Lambda::Function");
  const names = handlers.flatMap(({ FunctionName = "" }) => (FunctionName.startsWith("modfront-") ? FunctionName : []));
  let checked = 0;
  for (const name of names) {
    for (const statement of statementsOf(service, name).filter(isOfTable)) {
      const scans = [statement.Action].flat().every((action) => action === "dynamodb:Scan");
      assert.ok(scans || leadingKeys(statement).every((keys) => !keys.startsWith("t")), name);
      if (!scans) assert.ok(leadingKeys(statement).length > 0, name);
      checked++;
    }
  }
  assert.ok(checked >= 4);
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
