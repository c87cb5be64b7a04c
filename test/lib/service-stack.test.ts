import assert from "node:assert/strict";
import { test } from "node:test";
import { Match, type Template } from "aws-cdk-lib/assertions";
import { temporarySpace } from "../../lambda/aws/temporary-space.ts";
import { patterns, publishingPatterns } from "../../lambda/edge/routes.ts";
import { originPathOf } from "../../lib/origins.ts";
import { type Policy, propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

const { service, storage } = synthesise();

/** What the function whose name ends so may do, as a sorted list of actions; what it is denied besides is not among them. */
function actionsOf(name: string): readonly string[] {
  return statementsOf(service, `modfront-${name}`)
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action }) => Action)
    .sort();
}

const log = ["logs:CreateLogStream", "logs:PutLogEvents"];
const secret = "secretsmanager:GetSecretValue";

/** Files, index, leases, heads and claims; reading what is ruled and our own log, leaving records for it, and calling the function that signs. */
const writing = [
  ...["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
  "dynamodb:Query",
  ...["dynamodb:GetItem", "dynamodb:PutItem"],
  ...["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "lambda:InvokeFunction"],
  ...["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
];

/** The secrets that the configuration names, and those that administrators set, by their rows. */
const configured = [secret];
const set = ["dynamodb:Query", secret];

/** Every action of every function: whoever adds one changes this table. */
const permissions: readonly (readonly [name: string, actions: readonly string[]])[] = [
  ["list", ["dynamodb:Query", "dynamodb:GetItem", "lambda:InvokeFunction", ...log, secret]],
  ["latest", ["dynamodb:Query", "dynamodb:GetItem", "lambda:InvokeFunction", ...log, secret]],
  ["info", ["lambda:InvokeFunction", ...log, secret]],
  ["mod", ["lambda:InvokeFunction", ...log, secret]],
  ["zip", ["lambda:InvokeFunction", ...log, secret]],
  ["sumdb", ["lambda:InvokeFunction", ...log, secret]],
  ["site", [...log, secret]],
  [
    "log",
    [
      ...["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query"].map(
        (call) => `dynamodb:${call}`,
      ),
      ...["kms:GetPublicKey", "kms:Sign", ...log],
      ...["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
    ],
  ],
  [
    "publish",
    [
      // Fill, and what purges.
      ...["dynamodb:Query", "lambda:InvokeFunction", "lambda:InvokeFunction", ...log, secret],
      // What waits to be published, and the audit log.
      ...["s3:PutObject", "s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:ListBucket"],
    ],
  ],
  ["preheat", ["dynamodb:Scan", ...log, "s3:GetObject", "s3:ListBucket", "sqs:SendMessage"]],
  ["fill", [...writing, ...log, ...configured, ...set]],
  [
    "background",
    [
      ...[...writing, ...log, ...configured, ...set],
      // One for the log, which all who write have, and one for what purges.
      "lambda:InvokeFunction",
      // The permissions that feeding it from the queue brings, giving a message back for a while, and leaving a job.
      "sqs:SendMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ReceiveMessage",
    ],
  ],
];

for (const [name, actions] of permissions) {
  test(`${name} may do what it needs and nothing else`, () => assert.deepEqual(actionsOf(name), actions.toSorted()));
}

test("only the fill plane may write modules and their rows, and read the credentials of upstreams", () => {
  const writers = permissions.filter(([, actions]) =>
    actions.some((action) => /^(s3|dynamodb):.*(Put|Write|Update|Delete)/.test(action)),
  );
  assert.deepEqual(
    writers.map(([name]) => name),
    ["log", "publish", "fill", "background"],
  );
  const written = statementsOf(service, "modfront-publish").filter(({ Action }) =>
    /s3:(?:Put|Delete)/.test(`${Action}`),
  );
  assert.deepEqual(
    written.map(({ Resource }) => /\/-\/\w+\/\*/.exec(JSON.stringify(Resource))?.[0]),
    ["/-/upload/*", "/-/audit/*"],
  );
  const reach = statementsOf(service, "modfront-log").map(({ Resource }) => JSON.stringify(Resource));
  assert.deepEqual(
    reach.filter((resource) => /s3:::.*\*/.test(resource)).map((resource) => /\/-\/log\/\*/.test(resource)),
    [true],
  );
  assert.ok(!reach.some((resource) => /:table\/modfront"/.test(resource)));
  const policies = Object.entries(service.findResources("AWS::IAM::Policy"));
  const readers = policies.filter(([, policy]) => JSON.stringify(policy).includes("upstream-credentials"));
  assert.deepEqual(readers.map(([id]) => id.replace(/Role.*/, "")).sort(), ["BackgroundFill", "Fill"]);
});

for (const region of ["us-east-1", "eu-west-1"]) {
  test(`primary ${region}: the fill plane alone may read the secrets that credentials name`, () => {
    const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:git";
    const credentials = [
      { match: "git.example", kind: "basic", secret: { aws: "corp/git" } },
      { match: "github.com/corp", kind: "github-app", user: "1", secret: { aws: arn } },
      { match: "git.example/team", kind: "bearer", secret: { aws: "corp/git" } },
    ];
    const { service: template, edge } = synthesise({ credentials, aws: { regions: [region] } });
    const readers = (of: Template, text: string) =>
      Object.entries(of.findResources("AWS::IAM::Policy"))
        .filter(([, policy]) => JSON.stringify(policy).includes(text))
        .map(([id]) => id.replace(/Role.*/, ""))
        .sort();
    for (const text of [":secret:corp/git-??????", `"${arn}"`, `"${arn}-??????"`]) {
      assert.deepEqual(readers(template, text), ["BackgroundFill", "Fill"], text);
      assert.deepEqual(readers(edge, text), [], text);
    }
    const [statement] = statementsOf(template, "modfront-fill").filter(
      ({ Action }) => Action === "secretsmanager:GetSecretValue",
    );
    const resources = JSON.stringify(statement?.Resource);
    assert.match(resources, new RegExp(`secretsmanager:${region}:`));
    assert.equal(resources.split("corp/git").length, 2, "each secret once");
  });
}

test("a deployment has no files and no environment for secrets", () => {
  for (const secret of [{ env: "TOKEN" }, { file: "token" }])
    assert.throws(() => synthesise({ credentials: [{ match: "git.example", kind: "basic", secret }] }), {
      code: "config",
      message: /^configuration key credentials\.0\.secret: a deployment reads secrets from AWS alone/,
    });
});

test("every function runs on Node 24 and arm64, with a log that ends and an alias that is live", () => {
  const functions = propertiesOf(service, "AWS::Lambda::Function");
  assert.equal(functions.length, permissions.length);
  for (const each of functions) assert.deepEqual([each.Runtime, each.Architectures], ["nodejs24.x", ["arm64"]]);
  service.resourceCountIs("AWS::Lambda::Alias", functions.length);
  const logs = propertiesOf(service, "AWS::Logs::LogGroup");
  assert.equal(logs.length, functions.length + 1);
  for (const { RetentionInDays } of logs) assert.equal(RetentionInDays, 30);
});

test("what repositories and zips take fits into /tmp", () => {
  const { gibibytes, repositories, zips } = temporarySpace;
  assert.ok(repositories.packBytes + repositories.keptBytes + zips < gibibytes * 1024 ** 3);
});

test("fill has 15 minutes and room for the largest zip; what waits for the API ends before it", () => {
  service.hasResourceProperties("AWS::Lambda::Function", {
    FunctionName: "modfront-fill",
    Timeout: 900,
    EphemeralStorage: { Size: 4096 },
    MemorySize: 1769,
    ReservedConcurrentExecutions: Match.absent(),
  });
  for (const name of ["list", "latest", "info", "mod", "zip", "sumdb", "site"])
    service.hasResourceProperties("AWS::Lambda::Function", { FunctionName: `modfront-${name}`, Timeout: 29 });
});

test("the API has each origin path with its methods, each to the alias of its own function", () => {
  const keys = propertiesOf(service, "AWS::ApiGatewayV2::Route").map((route) => route.RouteKey);
  const names = [...Object.keys(patterns), ...Object.keys(publishingPatterns)];
  // Modules are only read; under /-/ the rows say which methods there are.
  const expected = names.flatMap((name) =>
    (["site", "publish", "yanks"].includes(name) ? ["ANY"] : ["GET", "HEAD"]).map(
      (method) => `${method} ${originPathOf(name)}/{path+}`,
    ),
  );
  assert.deepEqual(keys.toSorted(), expected.toSorted());
  const integrations = propertiesOf<{ readonly IntegrationUri: { readonly Ref: string } }>(
    service,
    "AWS::ApiGatewayV2::Integration",
  );
  const targets = new Set(integrations.map(({ IntegrationUri }) => IntegrationUri.Ref));
  // Publishing and yanking are one function's.
  assert.equal(targets.size, names.length - 1);
  for (const target of targets) assert.match(target, /Live/);
});

test("background fills are bounded, tried four times and then put aside, and a dead letter is an alarm", () => {
  service.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    BatchSize: 1,
    ScalingConfig: { MaximumConcurrency: 5 },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
  service.hasResourceProperties("AWS::SQS::Queue", {
    QueueName: "modfront-background",
    VisibilityTimeout: 960,
    RedrivePolicy: { maxReceiveCount: 4 },
  });
  service.hasResourceProperties("AWS::CloudWatch::Alarm", { MetricName: "ApproximateNumberOfMessagesVisible" });
});

test("what fetches modules runs in the company's network where one is named, and nothing else does", () => {
  const vpc = {
    vpcId: "vpc-0a1b2c3d",
    subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    securityGroupIds: ["sg-0a1b2c3d"],
  };
  const { service: inside } = synthesise({ aws: { vpc } });
  const placed = propertiesOf(inside, "AWS::Lambda::Function").filter(({ VpcConfig }) => VpcConfig !== undefined);
  assert.deepEqual(
    placed.map(({ FunctionName, VpcConfig }) => [FunctionName, VpcConfig]),
    ["modfront-fill", "modfront-background"].map((name) => [
      name,
      { SubnetIds: vpc.subnetIds, SecurityGroupIds: vpc.securityGroupIds },
    ]),
  );
  for (const [name, of] of [
    ["fill", actionsOf("fill")],
    ["background", actionsOf("background")],
  ] as const) {
    const more = statementsOf(inside, `modfront-${name}`).flatMap(({ Action }) => Action);
    const interfaces = more.filter((action) => action.startsWith("ec2:"));
    // Lambda may make the interfaces; the same is denied to the code.
    assert.equal(interfaces.length, 2 * new Set(interfaces).size);
    const denied = statementsOf(service, `modfront-${name}`).flatMap(({ Effect, Action }) =>
      Effect === "Deny" ? Action : [],
    );
    assert.equal(more.length, of.length + denied.length + interfaces.length);
  }
});

test("every new version becomes a job that reveals it; a go.mod alone and other files in the bucket do not", () => {
  service.hasResourceProperties("AWS::Events::Rule", {
    EventPattern: {
      source: ["aws.s3"],
      "detail-type": ["Object Created"],
      detail: {
        bucket: { name: [{ "Fn::Join": ["", ["modfront-", { Ref: "AWS::AccountId" }, "-us-east-1"]] }] },
        object: { key: ["info", "zip"].map((kind) => ({ wildcard: `*/@v/*.${kind}` })) },
      },
    },
    Targets: [
      Match.objectLike({
        InputTransformer: {
          InputPathsMap: { "detail-object-key": "$.detail.object.key" },
          InputTemplate: '{"kind":"reveal","key":<detail-object-key>}',
        },
      }),
    ],
  });
  const [policy] = propertiesOf<Policy>(service, "AWS::SQS::QueuePolicy").filter((each) =>
    JSON.stringify(each).includes("events.amazonaws.com"),
  );
  assert.ok(policy);
  storage.hasResourceProperties("AWS::S3::Bucket", {
    NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
  });
});

test("preheat is not run again when it failed: it would send all its jobs anew", () => {
  service.hasResourceProperties("AWS::Lambda::EventInvokeConfig", { MaximumRetryAttempts: 0 });
  service.hasResourceProperties("AWS::Scheduler::Schedule", { Target: { RetryPolicy: { MaximumRetryAttempts: 0 } } });
});

test("preheat runs on the schedule of the configuration", () => {
  const { service: own } = synthesise({ preheat: { schedule: "rate(5 minutes)" }, aws: { backgroundConcurrency: 9 } });
  own.hasResourceProperties("AWS::Scheduler::Schedule", { ScheduleExpression: "rate(5 minutes)", State: "ENABLED" });
  own.hasResourceProperties("AWS::Lambda::EventSourceMapping", { ScalingConfig: { MaximumConcurrency: 9 } });
});

test("new versions get a tenth of the traffic first and are taken back on errors; not on the emulator", () => {
  service.allResourcesProperties("AWS::CodeDeploy::DeploymentGroup", {
    DeploymentConfigName: "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    AlarmConfiguration: { Enabled: true, Alarms: [Match.anyValue(), Match.anyValue()] },
    AutoRollbackConfiguration: { Enabled: true, Events: Match.arrayWith(["DEPLOYMENT_STOP_ON_ALARM"]) },
  });
  service.resourceCountIs("AWS::CodeDeploy::DeploymentGroup", permissions.length);
  synthesise({}, { emulator: "true" }).service.resourceCountIs("AWS::CodeDeploy::DeploymentGroup", 0);
});

test("a sign that somebody lies about a module is an alarm", () => {
  service.hasResourceProperties("AWS::CloudWatch::Alarm", {
    Namespace: "modfront",
    MetricName: "Alarming",
    Threshold: 1,
  });
});
