import type { Template } from "aws-cdk-lib/assertions";

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

/** What a change of a resource must be seen in, by its type; of types that are not here only that there is one. */
const facts: Readonly<Record<string, readonly string[]>> = {
  "AWS::ApiGatewayV2::Route": ["RouteKey"],
  "AWS::CloudFront::CachePolicy": ["CachePolicyConfig"],
  "AWS::CloudFront::Function": ["FunctionConfig.Runtime"],
  "AWS::CloudFront::OriginRequestPolicy": ["OriginRequestPolicyConfig.HeadersConfig"],
  "AWS::CloudFront::ResponseHeadersPolicy": ["ResponseHeadersPolicyConfig.SecurityHeadersConfig"],
  "AWS::CloudWatch::Alarm": [
    "MetricName",
    "Namespace",
    "Threshold",
    "ComparisonOperator",
    "EvaluationPeriods",
    "AlarmActions",
  ],
  "AWS::CodeDeploy::DeploymentGroup": ["DeploymentConfigName", "AlarmConfiguration"],
  "AWS::DynamoDB::GlobalTable": ["AttributeDefinitions", "KeySchema", "TimeToLiveSpecification", "Replicas"],
  "AWS::DynamoDB::Table": ["KeySchema", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification"],
  "AWS::Events::Rule": ["EventPattern", "Targets"],
  "AWS::KMS::Key": ["KeySpec", "KeyUsage", "MultiRegion"],
  "AWS::Lambda::EventSourceMapping": ["BatchSize", "ScalingConfig", "FunctionResponseTypes"],
  "AWS::Lambda::EventInvokeConfig": ["MaximumRetryAttempts"],
  "AWS::Lambda::Function": [
    ...["MemorySize", "Timeout", "Runtime", "Architectures", "EphemeralStorage.Size", "ReservedConcurrentExecutions"],
    ...["LoggingConfig.LogFormat", "VpcConfig", "Environment.Variables"],
  ],
  "AWS::Lambda::Permission": ["Action", "Principal"],
  "AWS::Logs::LogGroup": ["RetentionInDays"],
  "AWS::S3::Bucket": [
    "BucketEncryption",
    "LifecycleConfiguration",
    "PublicAccessBlockConfiguration",
    "VersioningConfiguration",
  ],
  "AWS::S3::BucketPolicy": ["PolicyDocument.Statement"],
  "AWS::Scheduler::Schedule": ["ScheduleExpression", "Target.RetryPolicy"],
  "AWS::SNS::TopicPolicy": ["PolicyDocument.Statement"],
  "AWS::SQS::Queue": ["MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"],
  "AWS::SQS::QueuePolicy": ["PolicyDocument.Statement"],
};

const names = [
  "FunctionName",
  "BucketName",
  "TableName",
  "QueueName",
  "AliasName",
  "Name",
  "AlarmDescription",
  "LogGroupName",
];

/**
 * A template as rows of text, those of one type together: of each resource its name and the facts that matter, of policies
 * a row for each statement, of a distribution one for each origin and behaviour.
 */
export function templateRows(template: Template): readonly string[] {
  const resources = Object.entries(template.toJSON().Resources as Readonly<Record<string, Resource>>);
  const rows = resources.flatMap(([id, resource]) => {
    const { Type: type, Properties: properties = {}, DeletionPolicy: kept } = resource;
    const name = names.map((each) => properties[each]).find((each) => each !== undefined);
    const head = `${type} ${name === undefined ? withoutHash(id) : textOf(name)}${kept ? ` [${kept}]` : ""}`;
    if (type === "AWS::IAM::Policy") return statementsOf(properties).map((statement) => `${head}: ${statement}`);
    if (type === "AWS::CloudFront::Distribution") return distributionRows(head, properties);
    return (facts[type] ?? []).reduce(
      (row, path) => (at(properties, path) === undefined ? row : `${row}\n    ${path} ${textOf(at(properties, path))}`),
      head,
    );
  });
  return rows.sort();
}

function statementsOf(properties: Readonly<Record<string, unknown>>): readonly string[] {
  const role = textOf(at(properties, "Roles"));
  return (at(properties, "PolicyDocument.Statement") as readonly unknown[]).map(
    (statement) => `${role} ${textOf(statement)}`,
  );
}

function distributionRows(head: string, properties: Readonly<Record<string, unknown>>): readonly string[] {
  const config = properties.DistributionConfig as Readonly<Record<string, unknown>>;
  const list = (value: unknown) =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]) as readonly unknown[];
  return [
    ...list(config.CacheBehaviors).map((each, i) => `${head} behaviour ${i} ${textOf(each)}`),
    `${head} behaviour default ${textOf(config.DefaultCacheBehavior)}`,
    ...list(config.Origins).map((each) => `${head} origin ${textOf(each)}`),
    ...list(at(config, "OriginGroups.Items")).map((each) => `${head} origin group ${textOf(each)}`),
    `${head} errors ${textOf(config.CustomErrorResponses)}`,
  ];
}

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce((so, key) => (so as Readonly<Record<string, unknown>> | undefined)?.[key], value);
}

/** Logical ids end in a hash of where they are. */
function withoutHash(id: string): string {
  return id.replace(/[0-9A-F]{8}(?:[0-9a-f]{32})?$/, "");
}

/** JSON without quotes; a reference to another resource is `<its id>`, an attribute of one `<its id.Arn>`. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value).replaceAll(/[0-9a-f]{64}/g, "<asset>");
  const { Ref: ref, "Fn::GetAtt": attribute, "Fn::Join": join, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof ref === "string") return `<${withoutHash(ref)}>`;
  if (Array.isArray(attribute)) return `<${withoutHash(String(attribute[0]))}.${attribute[1]}>`;
  if (Array.isArray(join)) return (join[1] as readonly unknown[]).map(textOf).join(String(join[0]));
  const entries = Object.entries(rest).filter(([key]) => key !== "Version");
  return `{${entries.map(([key, each]) => `${key}: ${textOf(each)}`).join(", ")}}`;
}
