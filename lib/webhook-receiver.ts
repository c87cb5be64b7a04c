import { Duration, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IAlias } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { secretsOfWebhooks } from "../lambda/aws/secret-ids.ts";
import type { Config } from "../lambda/config/config.ts";
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import type { Throttle } from "./origin-api.ts";
import { StoredData } from "./stored-data.ts";

export interface WebhookReceiverProps {
  readonly names: Names;
  readonly config: Config;
  /** Where table, queue and secrets are. */
  readonly primaryRegion: string;
  readonly alerts: Alerts;
}

/** Anybody may send a delivery: whoever serves modules must not run short of places for it. */
export const webhookRate: Throttle = { rate: 50, burst: 100 };

/**
 * The function that hosts tell of repositories. It reads the secrets of webhooks, notes deliveries, puts jobs into the background
 * queue, and can do nothing else.
 */
export class WebhookReceiver extends Construct {
  readonly live: IAlias;

  constructor(scope: Construct, id: string, props: WebhookReceiverProps) {
    super(scope, id);
    const { names, config, primaryRegion: region } = props;
    const { access, private: patterns, tenants, webhooks } = config;
    const { urlSuffix, account } = Stack.of(this);
    const handler = new Handler(this, "Webhook", {
      handler: "webhook",
      functionName: names.function("webhook"),
      description: "Hears from hosts that a repository has changed",
      environment: {
        MODFRONT_TABLE: names.table,
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_PRIMARY_REGION: region,
        MODFRONT_QUEUE: `https://sqs.${region}.${urlSuffix}/${account}/${names.queue}`,
      },
      settings: { access, private: patterns, tenants, webhooks },
      memorySize: 512,
      timeout: Duration.seconds(29),
      alerts: props.alerts,
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region });
    const queue = Stack.of(this).formatArn({ service: "sqs", region, resource: names.queue });
    const statements = [
      data.readSecrets([names.edgeSecret, ...secretsOfWebhooks(webhooks)]),
      data.noteUsedTokens(),
      new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [queue] }),
    ];
    for (const statement of statements) handler.function.addToRolePolicy(statement);
    this.live = handler.live;
  }
}
