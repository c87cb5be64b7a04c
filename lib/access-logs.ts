import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnDelivery, CfnDeliveryDestination, CfnDeliverySource } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { requestsTable } from "../lambda/access/audit/audit-tables.ts";
import { resultsPrefix } from "./audit-tables.ts";

/** Where CloudFront puts them. */
const logsPrefix = "AWSLogs/";

export interface AccessLogsProps {
  readonly bucketName: string;
  /** Begins the names of source and destination. */
  readonly prefix: string;
  readonly distributionArn: string;
  /** For how many days they are kept. */
  readonly days: number;
}

/**
 * CloudFront's access logs (version 2) as lines of JSON in a bucket of their own, in us-east-1 as CloudFront demands:
 * `AWSLogs/aws-account-id=<account>/CloudFront/year=2026/month=11/day=28/….gz`.
 */
export class AccessLogs extends Construct {
  constructor(scope: Construct, id: string, props: AccessLogsProps) {
    super(scope, id);
    const bucket = this.#bucket(props);
    const source = new CfnDeliverySource(this, "Source", {
      name: `${props.prefix}-access`,
      logType: "ACCESS_LOGS",
      resourceArn: props.distributionArn,
    });
    // Its format cannot be changed, so that each has a name of its own.
    const destination = new CfnDeliveryDestination(this, "Lines", {
      name: `${props.prefix}-access-json`,
      destinationResourceArn: bucket.bucketArn,
      outputFormat: "json",
    });
    const delivery = new CfnDelivery(this, "Delivery", {
      deliverySourceName: source.name,
      deliveryDestinationArn: destination.attrArn,
      // No header and no query string: a credential cannot be in what is kept.
      recordFields: [...requestsTable.columns],
      s3EnableHiveCompatiblePath: true,
      s3SuffixPath: "{yyyy}/{MM}/{dd}",
    });
    delivery.addResourceDependency(source);
    // CloudWatch Logs tries the bucket when it makes the delivery: it must be allowed to write by then.
    if (bucket.policy) delivery.node.addDependency(bucket.policy);
  }

  #bucket({ bucketName, days }: AccessLogsProps): Bucket {
    const bucket = new Bucket(this, "Bucket", {
      bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [
        { id: "old", prefix: logsPrefix, expiration: Duration.days(days) },
        { id: "answers", prefix: resultsPrefix, expiration: Duration.days(1) },
        { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    bucket.grantPut(
      new ServicePrincipal("delivery.logs.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    // As the events of changes: not even an administrator takes one away before its time without changing this first.
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: "LogsStay",
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        resources: [bucket.arnForObjects(`${logsPrefix}*`)],
      }),
    );
    bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    Validations.of(bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "This bucket receives access logs; logging access to them would only feed itself.",
    });
    return bucket;
  }
}
