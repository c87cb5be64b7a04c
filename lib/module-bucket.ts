import { Aws, Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { auditPrefix, internalPrefix, stagedPrefix, uploadPrefix } from "../lambda/proxy/store/layout.ts";

/**
 * The bucket of all module files: a valid static GOPROXY tree, written once.
 *
 * The policy is kept with the bucket when the stack goes, so that what protects the data never goes before the data.
 */
export class ModuleBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: { readonly bucketName: string; readonly auditDays: number }) {
    super(scope, id);
    this.bucket = new Bucket(this, "Bucket", {
      bucketName: props.bucketName,
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [
        {
          id: "staging",
          prefix: stagedPrefix,
          expiration: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(1),
        },
        {
          id: "uploads",
          prefix: uploadPrefix,
          expiration: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(1),
        },
        {
          id: "audit",
          prefix: auditPrefix,
          expiration: Duration.days(props.auditDays),
          noncurrentVersionExpiration: Duration.days(1),
        },
        { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
        // Nothing is overwritten, so older versions are what maintenance removed: kept a month to undo it.
        { id: "removed", noncurrentVersionExpiration: Duration.days(30) },
      ],
    });
    // The CDK's own way would add a function that may change the notifications of every bucket.
    (this.bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    this.#createOnly();
    this.#keepAudit();
    this.#readableByDistributions();
    this.bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    Validations.of(this.bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "Readers come through CloudFront, which logs every request; writers are functions, which log every fill.",
    });
  }

  /**
   * Refuses to everybody, our own functions included, to write a file that is already there: a write without
   * `If-None-Match` is denied. Beginning an upload and sending its parts cannot carry the header and are exempt; so is
   * everything that is not the module protocol.
   */
  #createOnly(): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: "CreateOnly",
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["s3:PutObject"],
        notResources: [this.bucket.arnForObjects(`${internalPrefix}*`)],
        conditions: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      }),
    );
  }

  /**
   * Refuses to everybody, administrators of the account included, to overwrite or delete an event of the audit log. By its
   * age the lifecycle removes it, to which a policy does not apply. Whoever wants to must change this policy first, which
   * CloudTrail has.
   */
  #keepAudit(): void {
    const everybody = { effect: Effect.DENY, principals: [new AnyPrincipal()] };
    const resources = [this.bucket.arnForObjects(`${auditPrefix}*`)];
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        ...everybody,
        sid: "AuditCreateOnly",
        actions: ["s3:PutObject"],
        resources,
        conditions: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      }),
    );
    const actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"];
    this.bucket.addToResourcePolicy(new PolicyStatement({ ...everybody, sid: "AuditStays", actions, resources }));
  }

  /** Any distribution of this account, because the one that will read does not exist when the bucket is made. */
  #readableByDistributions(): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: "ReadByCloudFront",
        principals: [new ServicePrincipal("cloudfront.amazonaws.com")],
        actions: ["s3:GetObject"],
        resources: [this.bucket.arnForObjects("*")],
        conditions: {
          ArnLike: { "AWS:SourceArn": `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/*` },
        },
      }),
    );
  }
}
