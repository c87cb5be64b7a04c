import { CustomResource, Duration, Stack, Validations } from "aws-cdk-lib";
import type { IAlias } from "aws-cdk-lib/aws-lambda";
import { Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import { drainEvent } from "../lambda/aws/log-invocation.ts";
import type { Config } from "../lambda/config/config.ts";
import type { Settings } from "../lambda/config/env.ts";
import { logFolder } from "../lambda/proxy/store/layout.ts";
import { type Alerts, alarmRows } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import type { StoredData } from "./stored-data.ts";

export interface LogPlaneProps {
  readonly names: Names;
  readonly config: Config;
  readonly data: StoredData;
  readonly alerts: Alerts;
  readonly canary: boolean;
}

/**
 * The function that alone appends to our own checksum database and signs it. It asks nobody outside, and reads and writes
 * no module.
 */
export class LogPlane extends Construct {
  readonly live: IAlias;
  /** What GOSUMDB is set to, `name+hash+key`: known when the stack is deployed, because the key is asked for then. */
  readonly gosumdb: string;

  constructor(scope: Construct, id: string, props: LogPlaneProps) {
    super(scope, id);
    const { names, config, data, alerts, canary } = props;
    const handler = new Handler(this, "Function", {
      handler: "log",
      functionName: names.function("log"),
      description: "Appends to our own checksum database, and signs it",
      environment: {
        MODFRONT_LOG_TABLE: data.logTableName,
        MODFRONT_BUCKET: data.bucketName,
        MODFRONT_SIGNING_KEY: names.signingKeyAlias,
      },
      settings: { log: logSettings(config) },
      memorySize: 512,
      timeout: Duration.minutes(5),
      alerts,
      canary,
    });
    for (const statement of data.appendToLog(names.signingKeyAlias)) handler.function.addToRolePolicy(statement);
    this.live = handler.live;
    this.gosumdb = this.#nameOf(handler);
    this.#drain(handler, names);
    alerts.add(this, "Alarming", alarmRows.alarming("log"));
    alerts.add(this, "FailedAppends", alarmRows.failedAppends());
    alerts.add(this, "HeadAge", alarmRows.headAge());
    explain(handler, names);
  }

  /** Asked again with each version of the function, whose settings have the name; that settles it, and signs the first head. */
  #nameOf(handler: Handler<"log">): string {
    const resource = new CustomResource(this, "Log", {
      serviceToken: handler.function.functionArn,
      resourceType: "Custom::Log",
      properties: { version: handler.function.currentVersion.version },
    });
    return resource.getAttString("Gosumdb");
  }

  /** What fills left is taken along by the next append; where none comes, by this. */
  #drain(handler: Handler<"log">, names: Names): void {
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(5) } as const;
    handler.live.configureAsyncInvoke(once);
    new Schedule(this, "Drain", {
      scheduleName: names.function("log"),
      schedule: ScheduleExpression.rate(Duration.minutes(5)),
      target: new LambdaInvoke(handler.live, { ...once, input: ScheduleTargetInput.fromObject(drainEvent) }),
    });
  }
}

/** Of what the name of the log is made, where it has none yet. */
export function logSettings({ log, aws }: Config): Settings<"log">["log"] {
  return { name: log.name, domain: aws.domain?.name };
}

function explain(handler: Handler<"log">, names: Names): void {
  const { region } = Stack.of(handler);
  const reasons = {
    [`kms:${region}:${names.shownAccount}:key/*`]:
      "The key has no name of its own; the condition names its alias, under which it must be found.",
    [`s3:::${names.prefix}-${names.shownAccount}-${region}/${logFolder}*`]:
      "Tiles and copies of the heads that were signed are the log's own folder.",
  };
  for (const [resource, reason] of Object.entries(reasons))
    Validations.of(handler).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:${resource}]`,
      reason,
    });
}
