import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketPolicyCommand, HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CodedError } from "../golang/coded-error.ts";
import { awsErrorName, awsErrorStatus } from "./aws-failure.ts";

/** By what CloudFormation knows a resource that it takes in: `{ BucketName: "modfront-1-us-east-1" }`. */
export type Identifier = Readonly<Record<string, string>>;

export interface TemplateResource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export type TemplateResources = Readonly<Record<string, TemplateResource>>;

interface Place {
  readonly region: string;
  /** All resources of the template that the one in question is of. */
  readonly resources: TemplateResources;
}

type Find = (id: string, properties: Readonly<Record<string, unknown>>, place: Place) => Promise<Identifier>;

/** How a resource of each type is found; keys and secrets have names of AWS's making behind those that we gave. */
const finders: Readonly<Record<string, Find>> = {
  "AWS::S3::Bucket": async (_id, { BucketName }, { region }) => {
    const Bucket = literal(BucketName);
    await new S3Client({ region }).send(new HeadBucketCommand({ Bucket }));
    return { BucketName: Bucket };
  },
  "AWS::S3::BucketPolicy": async (_id, { Bucket: of }, { region, resources }) => {
    const Bucket = literal(resources[referred(of)]?.Properties?.BucketName);
    await new S3Client({ region }).send(new GetBucketPolicyCommand({ Bucket }));
    return { Bucket };
  },
  "AWS::DynamoDB::GlobalTable": findTable,
  "AWS::DynamoDB::Table": findTable,
  "AWS::KMS::Key": async (id, _properties, { region, resources }) => {
    const aliases = Object.values(resources).filter(({ Type }) => Type === "AWS::KMS::Alias");
    const alias = aliases.find(({ Properties }) => referred(Properties?.TargetKeyId) === id);
    return { KeyId: await findKey(literal(alias?.Properties?.AliasName), region) };
  },
  "AWS::KMS::Alias": async (_id, properties, { region }) => {
    const AliasName = literal(properties.AliasName);
    await findKey(AliasName, region);
    return { AliasName };
  },
  "AWS::SecretsManager::Secret": async (_id, properties, { region }) => {
    const SecretId = literal(properties.Name);
    const { ARN, DeletedDate } = await new SecretsManagerClient({ region }).send(
      new DescribeSecretCommand({ SecretId }),
    );
    if (DeletedDate !== undefined) throw leaving(`the secret ${SecretId}`, "aws secretsmanager restore-secret");
    return { Id: literal(ARN) };
  },
};

/** The types of resources that can be taken in, in the order of the table. */
export const keptTypes: readonly string[] = Object.keys(finders);

async function findTable(
  _id: string,
  properties: Readonly<Record<string, unknown>>,
  { region }: Place,
): Promise<Identifier> {
  const TableName = literal(properties.TableName);
  await new DynamoDBClient({ region }).send(new DescribeTableCommand({ TableName }));
  return { TableName };
}

async function findKey(alias: string, region: string): Promise<string> {
  const { KeyMetadata } = await new KMSClient({ region }).send(new DescribeKeyCommand({ KeyId: alias }));
  if (KeyMetadata?.DeletionDate !== undefined) throw leaving(`the key ${alias}`, "aws kms cancel-key-deletion");
  return literal(KeyMetadata?.KeyId);
}

/**
 * Returns what is there, in the account at hand, of what a template retains: by logical id, as `cdk import` reads it.
 *
 * Throws `CodedError` "no-account" for a template without literal names, "leaving" for data that is about to be deleted,
 * "aws-unavailable" where AWS does not say.
 */
export async function findKept(resources: TemplateResources, region: string): Promise<Record<string, Identifier>> {
  const found: Record<string, Identifier> = {};
  for (const [id, { Type, DeletionPolicy, Properties = {} }] of Object.entries(resources)) {
    const find = DeletionPolicy?.startsWith("Retain") ? finders[Type] : undefined;
    const identifier = find && (await orAbsent(() => find(id, Properties, { region, resources })));
    if (identifier !== undefined) found[id] = identifier;
  }
  return found;
}

async function orAbsent(find: () => Promise<Identifier>): Promise<Identifier | undefined> {
  try {
    return await find();
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    if (awsErrorStatus(cause) === 404 || /NotFound|NoSuch/.test(awsErrorName(cause) ?? "")) return undefined;
    throw new CodedError("aws-unavailable", "AWS cannot be asked: are there credentials with the permission?", {
      cause,
    });
  }
}

/** The logical id in `{ Ref }` or `{ "Fn::GetAtt": [id, name] }`. */
function referred(value: unknown): string {
  const { Ref, "Fn::GetAtt": attribute } = (value ?? {}) as { Ref?: string; "Fn::GetAtt"?: readonly string[] };
  return Ref ?? attribute?.[0] ?? "";
}

function literal(value: unknown): string {
  if (typeof value === "string") return value;
  throw new CodedError("no-account", "the names are not known: synthesise with the credentials of the account");
}

function leaving(what: string, command: string): CodedError<"leaving"> {
  return new CodedError("leaving", `${what} waits for its deletion: bring it back first, with ${command}`);
}
