import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import { propertiesOf, synthesise } from "../support/synthesis.ts";

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly AlarmActions?: readonly { readonly Ref: string }[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
}

const alarmsOf = (template: Template) => propertiesOf<AlarmProperties>(template, "AWS::CloudWatch::Alarm");

for (const region of ["us-east-1", "eu-west-1"]) {
  const notify = { email: "team@corp.example", https: "https://oncall.example/hook" };
  const { service, edge } = synthesise({ aws: { regions: [region], notify } });

  test(`${region}: every alarm tells the topic of its own stack, and that tells people`, () => {
    for (const template of [service, edge]) {
      const topics = Object.keys(template.findResources("AWS::SNS::Topic"));
      assert.equal(topics.length, 1);
      assert.ok(alarmsOf(template).length > 0);
      for (const { AlarmActions, AlarmDescription, TreatMissingData } of alarmsOf(template))
        assert.deepEqual([AlarmActions, TreatMissingData], [[{ Ref: topics[0] }], "notBreaching"], AlarmDescription);
      const subscriptions = propertiesOf(template, "AWS::SNS::Subscription").map(({ Protocol, Endpoint }) => [
        Protocol,
        Endpoint,
      ]);
      assert.deepEqual(subscriptions.toSorted(), [
        ["email", notify.email],
        ["https", notify.https],
      ]);
    }
  });

  test(`${region}: the policy of the topic lets the alarms of the account publish, and nobody without TLS`, () => {
    for (const template of [service, edge]) {
      const topics = Object.keys(template.findResources("AWS::SNS::Topic"));
      const policies = propertiesOf<{
        readonly PolicyDocument: { readonly Statement: readonly { readonly Sid?: string }[] };
      }>(template, "AWS::SNS::TopicPolicy");
      const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      assert.deepEqual(
        statements.map(({ Sid, ...statement }) => statement),
        [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "sns:Publish",
            Resource: { Ref: topics[0] },
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
          {
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: "sns:Publish",
            Resource: { Ref: topics[0] },
            Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
          },
        ],
      );
    }
  });

  test(`${region}: what is watched, and from where on`, () => {
    const rows = (template: Template) => {
      const alarms = alarmsOf(template).map(({ Namespace, MetricName, Threshold, EvaluationPeriods }) => {
        return `${Namespace} ${MetricName} >= ${Threshold}, ${EvaluationPeriods} in a row`;
      });
      return [...new Set(alarms)].toSorted();
    };
    assert.deepEqual(rows(service), [
      "AWS/Lambda ConcurrentExecutions >= 800, 1 in a row",
      "AWS/Lambda Errors >= 3, 2 in a row",
      "AWS/Lambda Throttles >= 10, 1 in a row",
      "AWS/SQS ApproximateAgeOfOldestMessage >= 21600, 1 in a row",
      "AWS/SQS ApproximateNumberOfMessagesVisible >= 1, 1 in a row",
      "modfront Alarming >= 1, 1 in a row",
      "modfront FailedAppends >= 3, 1 in a row",
      "modfront Faults >= 1, 1 in a row",
      "modfront HeadAge >= 600, 1 in a row",
    ]);
    assert.deepEqual(rows(edge), [
      "AWS/CloudFront 5xxErrorRate >= 5, 3 in a row",
      "AWS/Lambda Errors >= 3, 2 in a row",
      "AWS/Lambda Throttles >= 10, 1 in a row",
      "modfront Faults >= 1, 1 in a row",
    ]);
    const alarming = alarmsOf(service).filter(({ MetricName }) => MetricName === "Alarming");
    assert.deepEqual(alarming.map(({ Dimensions }) => Dimensions?.[0]?.Value).toSorted(), [
      "background",
      "fill",
      "log",
    ]);
  });

  test(`${region}: a roll-out is judged by the first fault of its own version`, () => {
    const faults = Object.entries(service.findResources("AWS::CloudWatch::Alarm")).filter(
      ([, { Properties }]) => Properties.MetricName === "Faults",
    );
    const judged = propertiesOf<{
      readonly AlarmConfiguration: { readonly Alarms: readonly { readonly Name: { readonly Ref: string } }[] };
    }>(service, "AWS::CodeDeploy::DeploymentGroup").flatMap(({ AlarmConfiguration }) =>
      AlarmConfiguration.Alarms.map(({ Name }) => Name.Ref),
    );
    const versions = new Set(Object.keys(service.findResources("AWS::Lambda::Version")));
    assert.ok(faults.length > 0);
    for (const [id, { Properties }] of faults) {
      assert.ok(judged.includes(id), id);
      const version = Properties.Dimensions.find(({ Name }: { Name: string }) => Name === "Version").Value[
        "Fn::GetAtt"
      ];
      assert.deepEqual([versions.has(version[0]), version[1]], [true, "Version"]);
    }
  });
}

test("nobody is told where nobody is named, and the topic is there to subscribe to", () => {
  const { service } = synthesise();
  service.resourceCountIs("AWS::SNS::Topic", 1);
  service.resourceCountIs("AWS::SNS::Subscription", 0);
});

test("where places are reserved for fills, that they are taken is no alarm", () => {
  const throttled = (config?: Parameters<typeof synthesise>[0]) =>
    alarmsOf(synthesise(config).service).filter(({ MetricName }) => MetricName === "Throttles").length;
  assert.equal(throttled() - throttled({ aws: { regions: ["us-east-1"], fillConcurrency: 5 } }), 1);
});
