import { Duration } from "aws-cdk-lib";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Construct } from "constructs";
import { defaultChannel, failureRule } from "../lambda/proxy/channels/failure-rule.ts";
import { type Alerts, alarmTopic, counted } from "./alerts.ts";
import type { Names } from "./names.ts";

export interface ChannelAlarmsProps {
  readonly names: Names;
  /** The names of the channels, at least one. */
  readonly channels: readonly string[];
  /** By which people hear of it too. */
  readonly alerts: Alerts;
}

/** An alarm for each channel on its own counters, and the topic by which it is rolled back (lib/channel-rollback.ts). */
export class ChannelAlarms extends Construct {
  constructor(scope: Construct, id: string, { names, channels, alerts }: ChannelAlarmsProps) {
    super(scope, id);
    const topic = alarmTopic(this, "Topic", names.topic("channels"));
    const over = { period: Duration.seconds(failureRule.seconds) };
    for (const channel of channels) {
      const usingMetrics = {
        requests: counted("ChannelRequests", { Channel: channel }, over),
        failures: counted("ChannelFailures", { Channel: channel }, over),
      };
      alerts.add(this, `Failures-${channel}`, {
        name: names.channelAlarm(channel),
        title: `A fifth or more of the requests of the channel ${channel} that reach a function fail: it is rolled back to the ${defaultChannel} one`,
        metric: new MathExpression({
          expression: `IF(requests >= ${failureRule.requests}, failures / requests, 0)`,
          usingMetrics,
          ...over,
        }),
        threshold: failureRule.part,
        actions: [new SnsAction(topic)],
      });
    }
  }
}
