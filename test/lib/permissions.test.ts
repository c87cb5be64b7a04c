import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import type { HandlerName } from "../../lambda/config/env.ts";
import { sentCommands } from "../support/sent-commands.ts";
import { type Policy, propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

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
  BatchGetItem: ["dynamodb:BatchGetItem"],
  BatchWriteItem: ["dynamodb:BatchWriteItem"],
  // A transaction has no action of its own: this one puts and deletes.
  TransactWriteItems: ["dynamodb:PutItem", "dynamodb:DeleteItem"],
  GetPublicKey: ["kms:GetPublicKey"],
  Sign: ["kms:Sign"],
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
  CreateSecret: ["secretsmanager:CreateSecret"],
  DeleteSecret: ["secretsmanager:DeleteSecret"],
  PutSecretValue: ["secretsmanager:PutSecretValue"],
  SendMessageBatch: ["sqs:SendMessage"],
  ChangeMessageVisibility: ["sqs:ChangeMessageVisibility"],
  DescribeKeyValueStore: ["cloudfront-keyvaluestore:DescribeKeyValueStore"],
  GetKey: ["cloudfront-keyvaluestore:GetKey"],
  ListKeys: ["cloudfront-keyvaluestore:ListKeys"],
  UpdateKeys: ["cloudfront-keyvaluestore:UpdateKeys"],
  CreateInvalidation: ["cloudfront:CreateInvalidation"],
};

/** What Lambda itself does under the role of a function. */
const byLambda = ["logs:CreateLogStream", "logs:PutLogEvents"];
const byEventSource = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl"].map(
  (verb) => `sqs:${verb}`,
);

interface Keyed {
  readonly "ForAllValues:StringLike": { readonly "dynamodb:LeadingKeys": readonly string[] };
}

const sent = new Map<HandlerName, readonly string[]>();

function commandsOf(name: HandlerName): readonly string[] {
  const commands = sent.get(name) ?? sentCommands(name);
  sent.set(name, commands);
  return commands;
}

const serving = ["list", "latest", "info", "mod", "zip", "sumdb", "site"] as const;
const handlers = [...serving, "fill", "background", "log", "preheat", "publish"] as const;

for (const region of ["us-east-1", "eu-west-1"]) {
  const { service, edge } = synthesise({ aws: { regions: [region] } });
  const planes: readonly (readonly [HandlerName, Template])[] = [
    ...handlers.map((name) => [name, service] as const),
    ["control", edge],
    ["admin", edge],
    ["token", edge],
    ["webhook", edge],
    ["purge", edge],
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
    // What purges is beside CloudFront; tables, secrets and the queue are where the modules are.
    const apart: Readonly<Record<string, string>> = { secretsmanager: region, dynamodb: region, sqs: region };
    for (const [template, home] of [
      [service, region],
      [edge, "us-east-1"],
    ] as const) {
      const texts = [...propertiesOf(template, "AWS::IAM::Policy"), ...propertiesOf(template, "AWS::Lambda::Function")];
      const arns = texts.flatMap((text) =>
        [...JSON.stringify(text).matchAll(/:(dynamodb|secretsmanager|sqs|lambda|kms):([^:"]*):/g)]
          .map(([, of = "", where = ""]) => ({ of, where }))
          .filter(
            ({ of, where }) =>
              of !== "lambda" || where !== "us-east-1" || !/modfront-purge:live/.test(JSON.stringify(text)),
          ),
      );
      for (const { of, where } of arns) assert.equal(where, apart[of] ?? home, `${of} ${where}`);
    }
  });

  test(`primary ${region}: only the log's function signs, and only heads of the one key`, () => {
    const signing = planes.filter(([name]) => commandsOf(name).includes("Sign")).map(([name]) => name);
    assert.deepEqual(signing, ["log"]);
    for (const [template, roles] of [
      [service, ["modfront-log"]],
      [edge, []],
    ] as const) {
      const texts = propertiesOf<Policy>(template, "AWS::IAM::Policy").filter((each) =>
        /"kms:/.test(JSON.stringify(each)),
      );
      assert.equal(texts.length, roles.length);
    }
    const statements = statementsOf(service, "modfront-log").filter(({ Action }) =>
      /^kms:/.test([Action].flat().join()),
    );
    const found = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/modfront-signing" } };
    const raw = { StringEquals: { "kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW" } };
    assert.deepEqual(
      statements.map(({ Action, Condition }) => [Action, Condition]),
      [
        ["kms:GetPublicKey", found],
        ["kms:Sign", { ...found, ...raw }],
      ],
    );
  });

  test(`primary ${region}: no claim is written by the log's function, and no row of the log by another`, () => {
    const reach = planes.flatMap(([name, template]) =>
      statementsOf(template, `modfront-${name}`)
        .filter(({ Resource }) => JSON.stringify(Resource).includes(":table/modfront-log"))
        .map(({ Action, Condition }) => {
          const keys = (Condition as Keyed)["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
          return `${name}: ${[Action].flat().join(" ").replaceAll("dynamodb:", "")} of ${keys.join()}`;
        }),
    );
    const filling = ["GetItem PutItem of c *", "GetItem BatchGetItem Query of log*", "PutItem of log pending*"];
    assert.deepEqual(reach, [
      ...filling.map((each) => `fill: ${each}`),
      ...filling.map((each) => `background: ${each}`),
      "log: GetItem BatchGetItem Query PutItem of log*",
      "log: DeleteItem BatchWriteItem of log pending*",
    ]);
  });

  test(`primary ${region}: no function is told of another region's bucket, queue or API`, () => {
    const told = (template: Template) => JSON.stringify(propertiesOf(template, "AWS::Lambda::Function"));
    const elsewhere = region === "us-east-1" ? "eu-west-1" : "us-east-1";
    assert.doesNotMatch(told(service), new RegExp(elsewhere));
    for (const name of ["control", "admin", "token", "webhook"]) {
      edge.hasResourceProperties("AWS::Lambda::Function", {
        FunctionName: `modfront-${name}`,
        Environment: { Variables: { MODFRONT_PRIMARY_REGION: region } },
      });
    }
    // What administers is where the key values are, beside the edge.
    const origins = JSON.stringify(propertiesOf(edge, "AWS::CloudFront::Distribution")).replace(
      /\{"Ref":"ControlApi\w+"\},"\.execute-api\.us-east-1\./g,
      "",
    );
    assert.ok(origins.includes(`-${region}.s3.${region}.`) && origins.includes(`.execute-api.${region}.`));
    assert.doesNotMatch(origins, new RegExp(`\\.(?:s3|execute-api)\\.${elsewhere}\\.`));
  });
}
