import assert from "node:assert/strict";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { sentCommands } from "../support/sent-commands.ts";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

const channels = { canary: { share: 0.1, upstreams: [{ patterns: "*", chain: "https://u:p@next.example" }] }, b: {} };

for (const region of ["us-east-1", "eu-west-1"]) {
  const { service, edge } = synthesise({ aws: { regions: [region] }, channels });

  test(`${region}: each channel has an alarm on its own counters, which tells people and the topic of rollbacks`, () => {
    service.resourceCountIs("AWS::SNS::Topic", 2);
    for (const channel of ["canary", "b"]) {
      const metric = (MetricName: string) => ({
        Metric: { Namespace: "modfront", MetricName, Dimensions: [{ Name: "Channel", Value: channel }] },
        Period: 300,
        Stat: "Sum",
      });
      service.hasResourceProperties("AWS::CloudWatch::Alarm", {
        AlarmName: `modfront-channel-${channel}`,
        Metrics: Match.arrayWith([
          Match.objectLike({ Expression: "IF(requests >= 20, failures / requests, 0)" }),
          Match.objectLike({ Id: "requests", MetricStat: metric("ChannelRequests"), ReturnData: false }),
          Match.objectLike({ Id: "failures", MetricStat: metric("ChannelFailures"), ReturnData: false }),
        ]),
        Threshold: 0.2,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: [{ Ref: Match.stringLikeRegexp("^Alerts") }, { Ref: Match.stringLikeRegexp("^ChannelAlarms") }],
      });
    }
    service.hasResourceProperties("AWS::SNS::Topic", { TopicName: "modfront-alarms-channels" });
  });

  test(`${region}: the function that hears of it is where the key values are, and may change those and nothing else`, () => {
    edge.hasResourceProperties("AWS::SNS::Subscription", {
      Protocol: "lambda",
      Region: region,
      TopicArn: Match.objectLike({ "Fn::Join": Match.anyValue() }),
    });
    const [subscription] = propertiesOf<{ TopicArn: unknown }>(edge, "AWS::SNS::Subscription");
    assert.match(JSON.stringify(subscription?.TopicArn), new RegExp(`:sns:${region}:.*:modfront-alarms-channels`));
    edge.hasResourceProperties("AWS::Lambda::Permission", { Principal: "sns.amazonaws.com" });
    const allowed = statementsOf(edge, "modfront-rollback").flatMap(({ Action }) => Action);
    assert.deepEqual(allowed.toSorted(), [
      ...["DescribeKeyValueStore", "GetKey", "UpdateKeys"].map((verb) => `cloudfront-keyvaluestore:${verb}`),
      ...["logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject"],
    ]);
    assert.deepEqual(sentCommands("rollback").toSorted(), [
      "DescribeKeyValueStore",
      "GetKey",
      "PutObject",
      "UpdateKeys",
    ]);
  });
}

test("without channels there is nothing of it", () => {
  const { service, edge } = synthesise({});
  service.resourceCountIs("AWS::SNS::Topic", 1);
  assert.doesNotMatch(JSON.stringify([service.toJSON(), edge.toJSON()]), /modfront-rollback|alarms-channels/);
});
