import { Aws, Duration, Validations } from "aws-cdk-lib";
import type { KeyValueStore } from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnSubscription } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import { StoredData } from "./stored-data.ts";

export interface ChannelRollbackProps {
  readonly names: Names;
  /** The names of the channels, at least one. */
  readonly channels: readonly string[];
  /** Where the alarms and the bucket are. */
  readonly primaryRegion: string;
  readonly keyValues: KeyValueStore;
  readonly alerts: Alerts;
}

/**
 * The function that rolls a channel back when its alarm says so: it changes the edge's row of it, adds to the audit log, and can do
 * nothing else. The alarms' topic is in the region of the functions that count, this where the key values are.
 */
export class ChannelRollback extends Construct {
  constructor(scope: Construct, id: string, props: ChannelRollbackProps) {
    super(scope, id);
    const { names, channels, primaryRegion, keyValues, alerts } = props;
    const handler = new Handler(this, "Rollback", {
      handler: "rollback",
      functionName: names.function("rollback"),
      description: "Rolls a channel back whose requests fail",
      environment: {
        MODFRONT_PRIMARY_REGION: primaryRegion,
        MODFRONT_KEY_VALUE_STORE: keyValues.keyValueStoreArn,
        MODFRONT_BUCKET: names.bucket(primaryRegion),
      },
      settings: { alarms: Object.fromEntries(channels.map((channel) => [names.channelAlarm(channel), channel])) },
      memorySize: 512,
      timeout: Duration.seconds(60),
      alerts,
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region: primaryRegion });
    handler.function.addToRolePolicy(data.addEvents());
    handler.function.addToRolePolicy(
      new PolicyStatement({
        actions: ["DescribeKeyValueStore", "GetKey", "UpdateKeys"].map((verb) => `cloudfront-keyvaluestore:${verb}`),
        resources: [keyValues.keyValueStoreArn],
      }),
    );
    Validations.of(handler).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${primaryRegion}/-/audit/*]`,
      reason: "Events are added under names of chance; the bucket's policy keeps what is there.",
    });
    const topicArn = `arn:${Aws.PARTITION}:sns:${primaryRegion}:${Aws.ACCOUNT_ID}:${names.topic("channels")}`;
    handler.live.addPermission("Alarms", {
      principal: new ServicePrincipal("sns.amazonaws.com"),
      sourceArn: topicArn,
    });
    const subscription = new CfnSubscription(this, "Subscription", {
      topicArn,
      protocol: "lambda",
      endpoint: handler.live.functionArn,
      region: primaryRegion,
    });
    Validations.of(subscription).acknowledge({
      id: "CloudFormation-Validate::W3694",
      reason: "SNS takes the ARN of an alias too: then it is the version that was rolled out.",
    });
  }
}
