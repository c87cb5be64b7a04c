import assert from "node:assert/strict";
import { test } from "node:test";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

// What the function that administrators ask over HTTP may, for two primaries: who and what was done, and no module.

for (const region of ["us-east-1", "eu-west-1"]) {
  const { edge } = synthesise({ aws: { regions: [region] } });
  const statements = statementsOf(edge, "modfront-admin");

  test(`primary ${region}: administration reaches rows of tokens and rulings, events, the edge's secret and key values, and nothing else`, () => {
    const reach = statements.map(({ Action, Resource, Condition }) => {
      const [, condition = ""] = /(?:LeadingKeys|prefix)":\[?"([^"]*)/.exec(JSON.stringify(Condition ?? "")) ?? [];
      const what = JSON.stringify(Resource).replace(/"AWS::\w+"|"Ref"|"Fn::\w+"/g, "");
      const [, name = "?"] =
        /(log-group|KeyValues|s3:::[^"]*"[^"]*"[^"]*|table\/[\w-]+|secret:[\w/-]+)/.exec(
          what.replace(/Log\w*","Arn/, "log-group"),
        ) ?? [];
      return `${[Action].flat().join(" ")} of ${name.replace(/^s3:::.*"(.*)$/, "bucket $1")} ${condition}`.trim();
    });
    assert.deepEqual(reach, [
      "logs:CreateLogStream logs:PutLogEvents of log-group",
      "secretsmanager:GetSecretValue secretsmanager:PutSecretValue of secret:modfront/edge-",
      "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem of table/modfront t tokens",
      "dynamodb:Query dynamodb:GetItem dynamodb:PutItem dynamodb:DeleteItem of table/modfront b *",
      "dynamodb:Query dynamodb:GetItem dynamodb:PutItem of table/modfront k credentials",
      // Which it makes and removes, and cannot read.
      "secretsmanager:CreateSecret secretsmanager:DeleteSecret of secret:modfront/credentials/",
      `s3:GetObject s3:PutObject of bucket -${region}/-/audit/*`,
      `s3:ListBucket of bucket -${region} -/audit/*`,
      "cloudfront-keyvaluestore:DescribeKeyValueStore cloudfront-keyvaluestore:GetKey cloudfront-keyvaluestore:UpdateKeys of KeyValues",
    ]);
    for (const { Resource } of statements) assert.notEqual(Resource, "*");
  });

  test(`primary ${region}: its code is other than that which a deployment calls, and finished before the last key values are`, () => {
    const names = propertiesOf<{ FunctionName?: string }>(edge, "AWS::Lambda::Function").map(
      (each) => each.FunctionName,
    );
    assert.ok(names.includes("modfront-admin") && names.includes("modfront-control"));
    const finished = Object.values(edge.findResources("Custom::EdgeKeyValues")).find(
      ({ Properties }) => Properties.step === "finish",
    );
    for (const type of ["ApiGatewayV2::Route", "ApiGatewayV2::Stage", "Lambda::Alias"]) {
      for (const id of Object.keys(edge.findResources(`AWS::${type}`)))
        assert.ok(finished?.DependsOn.includes(id) || id.startsWith("EdgeControl"), id);
    }
  });
}
