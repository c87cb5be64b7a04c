import { Duration, Stack } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IAlarmAction,
  type IMetric,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IAlias } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription, UrlSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";

/** When somebody must be told: the metric reaches the threshold in so many periods in a row. */
export interface AlarmRow {
  /** A sentence for whoever gets the message. */
  readonly title: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** 1 where it is left out. */
  readonly periods?: number;
  /** What its messages call it, where something acts by them. */
  readonly name?: string;
  /** What is done beside telling people. */
  readonly actions?: readonly IAlarmAction[];
}

const minute = { period: Duration.minutes(1) };
const fiveMinutes = { period: Duration.minutes(5) };

/** What is watched, and from where on it matters: each row is an alarm, and a later dashboard's title and line. */
export const alarmRows = {
  crashes: (live: IAlias): AlarmRow => ({
    title: "A function ended without an answer, by an exception or its time limit",
    metric: live.metricErrors(minute),
    threshold: 3,
    periods: 2,
  }),
  throttles: (live: IAlias): AlarmRow => ({
    title: "A function was not started, because the account runs as many as it may",
    metric: live.metricThrottles(fiveMinutes),
    threshold: 10,
  }),
  /** From the first on: a version that is being rolled out must not answer one request so. */
  faults: (handler: string, version: string): AlarmRow => ({
    title: "A version answered with an error of its own (500, 503), which no upstream is to blame for",
    metric: counted("Faults", { Handler: handler, Version: version }),
    threshold: 1,
  }),
  alarming: (handler: string): AlarmRow => ({
    title: "Forged or broken content was refused, or something failed that must not",
    metric: counted("Alarming", { Handler: handler }),
    threshold: 1,
  }),
  failedAppends: (): AlarmRow => ({
    title: "Our own checksum database took no record at three tries: private versions wait",
    metric: counted("FailedAppends", { Handler: "log" }, fiveMinutes),
    threshold: 3,
  }),
  headAge: (): AlarmRow => ({
    title: "For ten minutes nothing could be appended to our own checksum database and signed",
    metric: counted("HeadAge", { Handler: "log" }, { ...fiveMinutes, statistic: "Maximum" }),
    threshold: 600,
  }),
  deadLetters: (dead: IQueue): AlarmRow => ({
    title: "A background fill failed at every try",
    metric: dead.metricApproximateNumberOfMessagesVisible(fiveMinutes),
    threshold: 1,
  }),
  waiting: (queue: IQueue): AlarmRow => ({
    title: "Background fills wait for six hours",
    metric: queue.metricApproximateAgeOfOldestMessage(fiveMinutes),
    threshold: 6 * 3600,
  }),
  /** Of all functions of the account. An account that may run fewer than is usual shows in `throttles` first. */
  concurrency: (): AlarmRow => ({
    title: "The account runs 800 functions at once, of the 1,000 that are usual",
    metric: new Metric({
      namespace: "AWS/Lambda",
      metricName: "ConcurrentExecutions",
      statistic: "Maximum",
      ...fiveMinutes,
    }),
    threshold: 800,
  }),
  edgeErrors: (distributionId: string): AlarmRow => ({
    title: "CloudFront answers 5 % of requests or more with a 5xx",
    metric: new Metric({
      namespace: "AWS/CloudFront",
      metricName: "5xxErrorRate",
      dimensionsMap: { DistributionId: distributionId, Region: "Global" },
      statistic: "Average",
      ...fiveMinutes,
    }),
    threshold: 5,
    periods: 3,
  }),
} as const;

/** A metric that lambda/aws/report-line.ts writes. */
export function counted(
  metricName: string,
  dimensionsMap: Readonly<Record<string, string>>,
  over: { readonly period: Duration; readonly statistic?: string } = minute,
): Metric {
  return new Metric({
    namespace: "modfront",
    metricName,
    dimensionsMap: { ...dimensionsMap },
    statistic: "Sum",
    ...over,
  });
}

export interface AlertsProps {
  readonly topicName: string;
  readonly notify: Config["aws"]["notify"];
}

/** The alarms of one stack, and the topic by which people hear of them: an alarm reaches only topics of its own region. */
export class Alerts extends Construct {
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id);
    const topic = alarmTopic(this, "Topic", props.topicName);
    const { email, https } = props.notify;
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    if (https !== undefined) topic.addSubscription(new UrlSubscription(https));
    this.#action = new SnsAction(topic);
  }

  /** An alarm below `scope`, and its message to the topic. What is not written is in order. */
  add(scope: Construct, id: string, { title, metric, threshold, periods = 1, name, actions = [] }: AlarmRow): IAlarm {
    const alarm = new Alarm(scope, id, {
      ...(name !== undefined && { alarmName: name }),
      alarmDescription: title,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#action, ...actions);
    return alarm as IAlarm;
  }
}

/** A topic to which the alarms of the account may publish, over TLS alone. */
export function alarmTopic(scope: Construct, id: string, topicName: string): Topic {
  const topic = new Topic(scope, id, { topicName, enforceSSL: true });
  // With a policy of its own, which enforcing TLS makes, a topic loses the one by which alarms of its account may publish.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } },
    }),
  );
  return topic;
}
