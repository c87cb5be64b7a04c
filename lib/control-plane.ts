import { CustomResource, Duration } from "aws-cdk-lib";
import type { KeyValueStore } from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import { tellEvent } from "../lambda/aws/tell-event.ts";
import type { Config } from "../lambda/config/config.ts";
import { chosenChannels } from "../lambda/proxy/channels/channel-parts.ts";
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import { StoredData } from "./stored-data.ts";

export interface ControlPlaneProps {
  readonly names: Names;
  readonly config: Config;
  /** Where the secret is. */
  readonly primaryRegion: string;
  readonly keyValues: KeyValueStore;
  readonly alerts: Alerts;
}

/**
 * The function that writes key values, and may neither read nor write a module.
 *
 * It is a part of the edge stack, whatever the primary region: CloudFormation calls a function of the stack's own region
 * only, and the key values are made there.
 */
export class ControlPlane extends Construct {
  /** Wait for it where the key values are read: what is there then is for the code of before and after. */
  readonly keyValuesPrepared: CustomResource;
  /** Must wait for the code that reads them: what only it can act by is written then. */
  readonly keyValuesFinished: CustomResource;

  constructor(scope: Construct, id: string, props: ControlPlaneProps) {
    super(scope, id);
    const { names, config, primaryRegion, keyValues } = props;
    const handler = new Handler(this, "Control", {
      handler: "control",
      functionName: names.function("control"),
      description: "Writes what the edge function knows into its KeyValueStore",
      // `modfront token --stack` reads them too: they are all it takes to find the tokens of a deployment.
      environment: {
        MODFRONT_TABLE: names.table,
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_PRIMARY_REGION: primaryRegion,
        MODFRONT_KEY_VALUE_STORE: keyValues.keyValueStoreArn,
        MODFRONT_BUCKET: names.bucket(primaryRegion),
      },
      settings: {
        access: config.access,
        private: config.private,
        tenants: config.tenants,
        channels: chosenChannels(config.channels),
      },
      memorySize: 256,
      timeout: Duration.minutes(2),
      alerts: props.alerts,
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region: primaryRegion });
    handler.function.addToRolePolicy(data.readSecret(names.edgeSecret));
    handler.function.addToRolePolicy(data.keepTokens());
    for (const statement of data.tellRulings()) handler.function.addToRolePolicy(statement);
    handler.function.addToRolePolicy(
      new PolicyStatement({
        actions: ["DescribeKeyValueStore", "ListKeys", "UpdateKeys"].map((verb) => `cloudfront-keyvaluestore:${verb}`),
        resources: [keyValues.keyValueStoreArn],
      }),
    );
    this.#tell(handler, names);
    this.keyValuesPrepared = this.#write("KeyValues", "prepare", handler, keyValues);
    this.keyValuesFinished = this.#write("KeyValuesFinished", "finish", handler, keyValues);
  }

  /** Who blocks something tells the edge at once; of whom that could not the schedule does. */
  #tell(handler: Handler<"control">, names: Names): void {
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(5) } as const;
    new Schedule(this, "Tell", {
      scheduleName: names.function("control"),
      schedule: ScheduleExpression.rate(Duration.minutes(5)),
      target: new LambdaInvoke(handler.live, { ...once, input: ScheduleTargetInput.fromObject(tellEvent) }),
    });
  }

  /** Runs again whenever what the edge must know of the configuration changes. */
  #write(id: string, step: string, handler: Handler<"control">, keyValues: KeyValueStore): CustomResource {
    return new CustomResource(this, id, {
      serviceToken: handler.function.functionArn,
      resourceType: "Custom::EdgeKeyValues",
      // Only to be told of a change: the function itself reads its environment, and its settings beside its code.
      properties: {
        step,
        keyValueStoreArn: keyValues.keyValueStoreArn,
        version: handler.function.currentVersion.version,
      },
    });
  }
}
