import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import type { HandlerName } from "../../lambda/config/env.ts";
import { sentCommands } from "../support/sent-commands.ts";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

// What AWS would refuse and no emulator does: every call that a bundle can make against the role it runs under, for a
// primary in us-east-1 and for one elsewhere.

/** What a command needs, as the service authorization reference has it. */
const actions: Readonly<Record<string, readonly string[]>> = {
  Query: ["dynamodb:Query"],
  Scan: ["dynamodb:Scan"],
  GetItem: ["dynamodb:GetItem"],
  PutItem: ["dynamodb:PutItem"],
  UpdateItem: ["dynamodb:UpdateItem"],
  DeleteItem: ["dynamodb:DeleteItem"],
  // Without the right to list S3 says 403 of what is not there, which is no answer.
  GetObject: ["s3:GetObject", "s3:ListBucket"],
  HeadObject: ["s3:GetObject", "s3:ListBucket"],
  ListObjectsV2: ["s3:ListBucket"],
  PutObject: ["s3:PutObject"],
  CreateMultipartUpload: ["s3:PutObject"],
  UploadPart: ["s3:PutObject"],
  CompleteMultipartUpload: ["s3:PutObject"],
  AbortMultipartUpload: ["s3:AbortMultipartUpload"],
  DeleteObject: ["s3:DeleteObject"],
  Invoke: ["lambda:InvokeFunction"],
  GetSecretValue: ["secretsmanager:GetSecretValue"],
  SendMessageBatch: ["sqs:SendMessage"],
  ChangeMessageVisibility: ["sqs:ChangeMessageVisibility"],
  DescribeKeyValueStore: ["cloudfront-keyvaluestore:DescribeKeyValueStore"],
  GetKey: ["cloudfront-keyvaluestore:GetKey"],
  UpdateKeys: ["cloudfront-keyvaluestore:UpdateKeys"],
};

/** What Lambda itself does under the role of a function. */
const byLambda = ["logs:CreateLogStream", "logs:PutLogEvents"];
const byEventSource = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl"].map(
  (verb) => `sqs:${verb}`,
);

const sent = new Map<HandlerName, readonly string[]>();

function commandsOf(name: HandlerName): readonly string[] {
  const commands = sent.get(name) ?? sentCommands(name);
  sent.set(name, commands);
  return commands;
}

const handlers = ["list", "latest", "info", "mod", "zip", "sumdb", "site", "fill", "background", "preheat"] as const;

for (const region of ["us-east-1", "eu-west-1"]) {
  const { service, edge } = synthesise({ aws: { regions: [region] } });
  const planes: readonly (readonly [HandlerName, Template])[] = [
    ...handlers.map((name) => [name, service] as const),
    ["control", edge],
  ];

  for (const [name, template] of planes) {
    test(`primary ${region}: ${name} may make every call that is in its bundle, and no other`, () => {
      const allowed = statementsOf(template, `modfront-${name}`).flatMap(({ Action }) => Action);
      const needed = commandsOf(name).flatMap((command) => actions[command] ?? assert.fail(`${command} has no row`));
      const others = [...byLambda, ...(name === "background" ? byEventSource : [])];
      assert.deepEqual([...new Set(allowed)].sort(), [...new Set([...needed, ...others])].sort());
    });
  }

  test(`primary ${region}: every resource of a policy is in the region where it is`, () => {
    for (const [template, home] of [
      [service, region],
      [edge, "us-east-1"],
    ] as const) {
      const texts = [...propertiesOf(template, "AWS::IAM::Policy"), ...propertiesOf(template, "AWS::Lambda::Function")];
      const arns = texts.flatMap((text) =>
        [...JSON.stringify(text).matchAll(/:(dynamodb|secretsmanager|sqs|lambda):([^:"]*):/g)].map(
          ([, of = "", where = ""]) => ({ of, where }),
        ),
      );
      for (const { of, where } of arns)
        assert.equal(where, of === "secretsmanager" || of === "dynamodb" ? region : home, `${of} ${where}`);
    }
  });

  test(`primary ${region}: no function is told of another region's bucket, queue or API`, () => {
    const told = (template: Template) => JSON.stringify(propertiesOf(template, "AWS::Lambda::Function"));
    const elsewhere = region === "us-east-1" ? "eu-west-1" : "us-east-1";
    assert.doesNotMatch(told(service), new RegExp(elsewhere));
    edge.hasResourceProperties("AWS::Lambda::Function", {
      FunctionName: "modfront-control",
      Environment: { Variables: { MODFRONT_PRIMARY_REGION: region } },
    });
    const origins = JSON.stringify(propertiesOf(edge, "AWS::CloudFront::Distribution"));
    assert.ok(origins.includes(`-${region}.s3.${region}.`) && origins.includes(`.execute-api.${region}.`));
    assert.doesNotMatch(origins, new RegExp(`\\.(?:s3|execute-api)\\.${elsewhere}\\.`));
  });
}
