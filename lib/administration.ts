import { Duration, Validations } from "aws-cdk-lib";
import type { KeyValueStore } from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IAlias } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import { StoredData } from "./stored-data.ts";

export interface AdministrationProps {
  readonly names: Names;
  readonly config: Config;
  /** Where table, bucket and secret are. */
  readonly primaryRegion: string;
  readonly keyValues: KeyValueStore;
  readonly alerts: Alerts;
}

/**
 * The function that answers administrators: it changes what the edge knows and the records of it, adds to the audit log, and
 * neither reads nor writes a module. Apart from the one that CloudFormation calls, so that nobody who finds a way into the
 * one that is asked over HTTP may what a deployment may.
 */
export class Administration extends Construct {
  readonly live: IAlias;

  constructor(scope: Construct, id: string, props: AdministrationProps) {
    super(scope, id);
    const { names, config, primaryRegion, keyValues } = props;
    const bucketName = names.bucket(primaryRegion);
    const handler = new Handler(this, "Admin", {
      handler: "admin",
      functionName: names.function("admin"),
      description: "Answers administrators: tokens, credentials, tenants, the audit log",
      environment: {
        MODFRONT_TABLE: names.table,
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_PRIMARY_REGION: primaryRegion,
        MODFRONT_KEY_VALUE_STORE: keyValues.keyValueStoreArn,
        MODFRONT_BUCKET: bucketName,
        MODFRONT_CREDENTIALS: names.credentialFolder,
      },
      settings: { access: config.access, private: config.private, tenants: config.tenants },
      // Few calls, each with signatures that Node computes by itself.
      memorySize: 1024,
      timeout: Duration.seconds(29),
      alerts: props.alerts,
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region: primaryRegion });
    const statements = [
      data.rotateSecret(names.edgeSecret),
      data.administerTokens(),
      data.administerRulings(),
      ...data.administerCredentials(names.credentialFolder),
      ...data.auditLog(),
      new PolicyStatement({
        actions: ["DescribeKeyValueStore", "GetKey", "UpdateKeys"].map((verb) => `cloudfront-keyvaluestore:${verb}`),
        resources: [keyValues.keyValueStoreArn],
      }),
    ];
    for (const statement of statements) handler.function.addToRolePolicy(statement);
    Validations.of(handler).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:${primaryRegion}:${names.shownAccount}:secret:${names.credentialFolder}*]`,
      reason:
        "Credentials that are set are secrets under names of chance in this folder, made and removed, never read.",
    });
    Validations.of(handler).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${primaryRegion}/-/audit/*]`,
      reason: "Events are read by their time and added under names of chance; the bucket's policy keeps what is there.",
    });
    this.live = handler.live;
  }
}
