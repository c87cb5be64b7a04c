import { Duration, Validations } from "aws-cdk-lib";
import type { KeyValueStore } from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IAlias } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";
import packageJson from "../package.json" with { type: "json" };
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import type { Throttle } from "./origin-api.ts";
import { StoredData } from "./stored-data.ts";

export interface TokenExchangeProps {
  readonly names: Names;
  readonly config: Config;
  /** Where table, bucket and secret are. */
  readonly primaryRegion: string;
  readonly keyValues: KeyValueStore;
  readonly alerts: Alerts;
}

/** Anybody may ask for a token, so that whoever serves modules must not run short of places for it. */
export const exchangeRate: Throttle = { rate: 20, burst: 20 };

/**
 * The function that gives tokens for ID tokens and client certificates. It reads the signing key, writes down what it gives,
 * and can do nothing else: it changes no key, no token and no setting, and reaches no module.
 */
export class TokenExchange extends Construct {
  readonly live: IAlias;

  constructor(scope: Construct, id: string, props: TokenExchangeProps) {
    super(scope, id);
    const { names, config, primaryRegion, keyValues } = props;
    const { access, private: patterns, tenants, oidc, allowHosts } = config;
    const handler = new Handler(this, "Token", {
      handler: "token",
      functionName: names.function("token"),
      description: "Gives tokens for ID tokens and client certificates",
      environment: {
        MODFRONT_TABLE: names.table,
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_PRIMARY_REGION: primaryRegion,
        MODFRONT_KEY_VALUE_STORE: keyValues.keyValueStoreArn,
        MODFRONT_BUCKET: names.bucket(primaryRegion),
      },
      settings: {
        ...{ access, private: patterns, tenants, oidc, allowHosts },
        subjects: config.aws.mtls === undefined ? [] : config.mtls.rules,
        version: packageJson.version,
      },
      // Few calls, each with signatures that Node computes by itself.
      memorySize: 1024,
      timeout: Duration.seconds(29),
      alerts: props.alerts,
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region: primaryRegion });
    const statements = [
      data.readSecret(names.edgeSecret),
      data.noteUsedTokens(),
      data.addEvents(),
      new PolicyStatement({ actions: ["cloudfront-keyvaluestore:GetKey"], resources: [keyValues.keyValueStoreArn] }),
    ];
    for (const statement of statements) handler.function.addToRolePolicy(statement);
    Validations.of(handler).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${primaryRegion}/-/audit/*]`,
      reason: "Events are added under names of chance; the bucket's policy keeps what is there.",
    });
    this.live = handler.live;
  }
}
