import { Duration } from "aws-cdk-lib";
import { EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { SqsSendMessage } from "aws-cdk-lib/aws-scheduler-targets";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { FileKind } from "../lambda/proxy/store/layout.ts";
import { type Alerts, alarmRows } from "./alerts.ts";
import type { Names } from "./names.ts";

/**
 * Which files are worth a job: the first that a public version is shown for, and the last of a private one. The go.mod
 * files of a module graph, by far the most, are asked for by name and looked for in no list.
 */
const telling = ["info", "zip"] as const satisfies readonly FileKind[];

/** Tries of a job before it is put aside. The consumer spaces them itself, by giving a failed message back for a while. */
const tries = 4;

/** The queue of fills that nobody waits for, its consumer bounded so that it never takes the place of people's misses. */
export class Background extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: { readonly names: Names; readonly alerts: Alerts }) {
    super(scope, id);
    const dead = new Queue(this, "Dead", {
      queueName: props.names.deadLetterQueue,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, "Queue", {
      queueName: props.names.queue,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(4),
      // A consumer that died without a word must not have its message read again while it might still be working.
      visibilityTimeout: Duration.minutes(16),
      deadLetterQueue: { queue: dead, maxReceiveCount: tries },
    });
    props.alerts.add(this, "DeadLetters", alarmRows.deadLetters(dead));
    props.alerts.add(this, "Waiting", alarmRows.waiting(this.queue));
  }

  /**
   * A job for every new version, so that a row that was lost on the way is there within seconds. The
   * rule is here and not with the bucket, which would have to know the queue.
   */
  watch(bucketName: string): void {
    new Rule(this, "NewFiles", {
      description: "Has each stored version of a module seen",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: {
          bucket: { name: [bucketName] },
          object: { key: telling.map((kind) => ({ wildcard: `*/@v/*.${kind}` })) },
        },
      },
      targets: [
        new SqsQueue(this.queue, {
          message: RuleTargetInput.fromObject({ kind: "reveal", key: EventField.fromPath("$.detail.object.key") }),
        }),
      ],
    });
  }

  /** Has all repositories of webhooks looked at every so often, whatever hooks tell. */
  sweep(names: Names, interval: Duration): void {
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(5) } as const;
    new Schedule(this, "Sweep", {
      scheduleName: names.sweep,
      schedule: ScheduleExpression.rate(interval),
      target: new SqsSendMessage(this.queue, { ...once, input: ScheduleTargetInput.fromObject({ kind: "sweep" }) }),
    });
  }

  /** One message at a time to each of at most `atOnce` consumers. */
  feed(consumer: IFunction, atOnce: number): void {
    consumer.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 1, maxConcurrency: atOnce, reportBatchItemFailures: true }),
    );
  }
}
