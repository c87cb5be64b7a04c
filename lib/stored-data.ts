import { ArnFormat, Stack } from "aws-cdk-lib";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import {
  claimPrefix,
  credentialPartition,
  headPrefix,
  leasePrefix,
  logPrefix,
  modulePrefix,
  pendingPartition,
  rulingPrefix,
  tokenPartition,
  usedPrefix,
  waitingPartition,
} from "../lambda/aws/table.ts";
import { auditPrefix, internalPrefix, logFolder, stagedPrefix, uploadPrefix } from "../lambda/proxy/store/layout.ts";
import type { Names } from "./names.ts";

/**
 * The storage stack's resources as other stacks know them, by name; and what each kind of function may do with them.
 *
 * Every grant is a list of actions that the code really calls, so that a read-only function has no verb that writes.
 */
export class StoredData extends Construct {
  readonly bucketName: string;
  readonly tableName: string;
  readonly logTableName: string;
  readonly #region: string;
  readonly #table: string;
  readonly #logTable: string;
  readonly #bucket: string;
  readonly #secret: (name: string) => string;

  constructor(scope: Construct, id: string, props: { readonly names: Names; readonly region: string }) {
    super(scope, id);
    const stack = Stack.of(this);
    // The data's region, which is not the stack's where the edge asks.
    const { region } = props;
    this.#region = region;
    this.bucketName = props.names.bucket(region);
    this.tableName = props.names.table;
    this.#bucket = `arn:${stack.partition}:s3:::${this.bucketName}`;
    this.logTableName = props.names.logTable;
    const table = (resourceName: string) =>
      stack.formatArn({ service: "dynamodb", region, resource: "table", resourceName });
    this.#table = table(this.tableName);
    this.#logTable = table(this.logTableName);
    // Secrets Manager adds a hyphen and six letters of its own to the name.
    this.#secret = (name) =>
      stack.formatArn({
        service: "secretsmanager",
        region,
        resource: "secret",
        resourceName: `${name}-??????`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
  }

  /** One Query, and what is remembered of a channel. */
  readModules(): PolicyStatement {
    return this.#inIndex([`${modulePrefix}*`], ["Query", "GetItem"]);
  }

  /** One Query: which versions there are, and nothing of what channels remember. */
  readVersions(): PolicyStatement {
    return this.#inIndex([`${modulePrefix}*`], ["Query"]);
  }

  /** The names of all modules. A scan meets every row, and shows none that is not of a module. */
  listModules(): PolicyStatement {
    return new PolicyStatement({ actions: ["dynamodb:Scan"], resources: [this.#table] });
  }

  /**
   * Files, index, leases, heads and claims, for fill only; of our own log it reads what there is and leaves records to be
   * appended. Listing lets S3 say 404 instead of 403 for what is not there.
   */
  fillStore(): readonly PolicyStatement[] {
    return [
      this.#inIndex(
        [modulePrefix, leasePrefix, headPrefix].map((prefix) => `${prefix}*`),
        ["Query", "GetItem", "PutItem", "UpdateItem"],
      ),
      // What is blocked or excepted is judged there, and decided elsewhere.
      this.#inIndex([`${rulingPrefix}*`], ["Query"]),
      this.#inLog([claimPrefix], ["GetItem", "PutItem"]),
      this.#inLog([logPrefix], ["GetItem", "BatchGetItem", "Query"]),
      this.#inLog([pendingPartition], ["PutItem"]),
      new PolicyStatement({
        actions: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
        resources: [`${this.#bucket}/*`],
      }),
      // What waits to be stored, and tiles of our own log that are damaged: the rows have what they are made of.
      new PolicyStatement({
        actions: ["s3:DeleteObject"],
        resources: [`${this.#bucket}/${stagedPrefix}*`, `${this.#bucket}/${logFolder}*/tile/*`],
      }),
      new PolicyStatement({
        effect: Effect.DENY,
        actions: ["s3:GetObject", "s3:PutObject"],
        resources: [`${this.#bucket}/${auditPrefix}*`],
      }),
      new PolicyStatement({ actions: ["s3:ListBucket"], resources: [this.#bucket] }),
    ];
  }

  /** Zips that wait to be published: put there, by whoever is given a signed address too, and removed. They are not read. */
  receiveUploads(): PolicyStatement {
    return new PolicyStatement({
      actions: ["s3:PutObject", "s3:DeleteObject"],
      resources: [`${this.#bucket}/${uploadPrefix}*`],
    });
  }

  /** Events of the audit log, to be added and read. Nobody may change one: the bucket's policy says so. */
  auditLog(): readonly PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ["s3:GetObject", "s3:PutObject"],
        resources: [`${this.#bucket}/${auditPrefix}*`],
      }),
      new PolicyStatement({
        actions: ["s3:ListBucket"],
        resources: [this.#bucket],
        conditions: { StringLike: { "s3:prefix": `${auditPrefix}*` } },
      }),
    ];
  }

  /** Events of the audit log, to be added only. */
  addEvents(): PolicyStatement {
    return new PolicyStatement({ actions: ["s3:PutObject"], resources: [`${this.#bucket}/${auditPrefix}*`] });
  }

  /** That an ID token was used, a row for each, which is only added. */
  noteUsedTokens(): PolicyStatement {
    return this.#inIndex([`${usedPrefix}*`], ["PutItem"]);
  }

  /** The records of tokens, rows of one partition of the index's table: to be added, as a deployment does. */
  keepTokens(): PolicyStatement {
    return this.#inIndex([tokenPartition], ["GetItem", "PutItem"]);
  }

  /** What is ruled about modules: to be read, and what of it the edge has yet to be told taken off. */
  tellRulings(): readonly PolicyStatement[] {
    return [this.#inIndex([`${rulingPrefix}*`], ["Query"]), this.#inIndex([waitingPartition], ["DeleteItem"])];
  }

  /** The same, and whatever administrators rule. */
  administerRulings(): PolicyStatement {
    return this.#inIndex([`${rulingPrefix}*`], ["Query", "GetItem", "PutItem", "DeleteItem"]);
  }

  /** The records of tokens, and whatever administrators do with them. */
  administerTokens(): PolicyStatement {
    return this.#inIndex([tokenPartition], ["GetItem", "PutItem", "Query", "UpdateItem"]);
  }

  /** The credentials that were set: their rows are read and written, their secrets made and removed, and never read. */
  administerCredentials(folder: string): readonly PolicyStatement[] {
    return [
      this.#inIndex([credentialPartition], ["Query", "GetItem", "PutItem"]),
      new PolicyStatement({
        actions: ["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret"],
        resources: [this.#secretsIn(folder)],
      }),
    ];
  }

  /** The same as whoever fetches with them needs them: rows and secrets are read. */
  readCredentials(folder: string): readonly PolicyStatement[] {
    return [
      this.#inIndex([credentialPartition], ["Query"]),
      new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [this.#secretsIn(folder)] }),
    ];
  }

  #secretsIn(folder: string): string {
    return this.#secret(folder).replace(/-\?{6}$/, "*");
  }

  /** Calls of the index's table, for rows of these partitions: those of tokens lie beside those of modules. */
  #inIndex(partitions: readonly string[], calls: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: calls.map((call) => `dynamodb:${call}`),
      resources: [this.#table],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions } },
    });
  }

  /** The go.mod and go.sum files that people put there for preheating. */
  readPreheatFiles(): readonly PolicyStatement[] {
    const folder = `${internalPrefix}preheat/*`;
    return [
      new PolicyStatement({ actions: ["s3:GetObject"], resources: [`${this.#bucket}/${folder}`] }),
      new PolicyStatement({
        actions: ["s3:ListBucket"],
        resources: [this.#bucket],
        conditions: { StringLike: { "s3:prefix": folder } },
      }),
    ];
  }

  /**
   * What the log's own function may: read and write rows of the log, remove those that waited, keep tiles and heads among
   * the files, and sign with the key that this alias leads to. It reaches no claim, no index and no module.
   */
  appendToLog(signingKeyAlias: string): readonly PolicyStatement[] {
    const key = Stack.of(this).formatArn({ service: "kms", region: this.#region, resource: "key", resourceName: "*" });
    const found = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": signingKeyAlias } };
    const raw = { StringEquals: { "kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW" } };
    return [
      this.#inLog([logPrefix], ["GetItem", "BatchGetItem", "Query", "PutItem"]),
      this.#inLog([pendingPartition], ["DeleteItem", "BatchWriteItem"]),
      new PolicyStatement({
        actions: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
        resources: [`${this.#bucket}/${logFolder}*`],
      }),
      new PolicyStatement({ actions: ["s3:ListBucket"], resources: [this.#bucket] }),
      new PolicyStatement({ actions: ["kms:GetPublicKey"], resources: [key], conditions: found }),
      new PolicyStatement({ actions: ["kms:Sign"], resources: [key], conditions: { ...found, ...raw } }),
    ];
  }

  /** Calls of the log's table, for rows of the partitions that begin so: claims and log lie beside each other there. */
  #inLog(prefixes: readonly string[], calls: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: calls.map((call) => `dynamodb:${call}`),
      resources: [this.#logTable],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": prefixes.map((prefix) => `${prefix}*`) } },
    });
  }

  readSecret(name: string): PolicyStatement {
    return this.readSecrets([name]);
  }

  /** The secret whose keys are rotated over HTTP too. */
  rotateSecret(name: string): PolicyStatement {
    const actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"];
    return new PolicyStatement({ actions, resources: [this.#secret(name)] });
  }

  /** Secrets by name, or by ARN, whose end may be left out. */
  readSecrets(ids: readonly string[]): PolicyStatement {
    const resources = ids.flatMap((id) => (id.startsWith("arn:") ? [id, `${id}-??????`] : [this.#secret(id)]));
    return new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources });
  }
}
