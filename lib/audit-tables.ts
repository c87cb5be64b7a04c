import { ArnFormat, RemovalPolicy, Stack, Token, Validations } from "aws-cdk-lib";
import { CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import { ManagedPolicy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { folderYears } from "../lambda/access/audit/audit-sql.ts";
import {
  type AuditTable,
  auditDatabase,
  auditWorkgroup,
  changesTable,
  partitions,
  requestsTable,
} from "../lambda/access/audit/audit-tables.ts";
import { auditPrefix } from "../lambda/proxy/store/layout.ts";

/** Bytes that one question may read: $0.25 at Athena's price. */
const mostScanned = 50 * 1024 ** 3;

/** In the bucket of access logs, for a day: what was answered. */
export const resultsPrefix = "query-results/";

export interface AuditTablesProps {
  /** `aws.name`. */
  readonly deployment: string;
  readonly logBucket: string;
  /** The bucket of modules, with the events of changes; maybe in another region. */
  readonly moduleBucket: string;
}

/**
 * What `modfront audit --stack` asks: tables over the access logs and over the changes, and how much a question may read.
 *
 * Partitions are projected: no crawler finds them, and nothing has to be told of a new day. Who asks needs the policy
 * `<name>-audit`, which no function has.
 */
export class AuditTables extends Construct {
  readonly #database: string;

  constructor(scope: Construct, id: string, { deployment, logBucket, moduleBucket }: AuditTablesProps) {
    super(scope, id);
    const { account } = Stack.of(this);
    this.#database = auditDatabase(deployment);
    const database = new CfnDatabase(this, "Database", {
      catalogId: account,
      databaseInput: { name: this.#database, description: `Who changed and fetched what in ${deployment}` },
    });
    const tables = [
      this.#table("Requests", requestsTable, `s3://${logBucket}/AWSLogs/aws-account-id=${account}/CloudFront`),
      this.#table("Changes", changesTable, `s3://${moduleBucket}/${auditPrefix.replace(/\/$/, "")}`),
    ];
    for (const table of tables) table.addResourceDependency(database);
    const workgroup = this.#workgroup(deployment, logBucket);
    this.#policy(deployment, { logBucket, moduleBucket, workgroup: workgroup.name });
  }

  #table(id: string, { name, columns }: AuditTable, location: string): CfnTable {
    const folders = partitions.map((each) => `${each}=\${${each}}`).join("/");
    return new CfnTable(this, id, {
      catalogId: Stack.of(this).account,
      databaseName: this.#database,
      tableInput: {
        name,
        tableType: "EXTERNAL_TABLE",
        partitionKeys: partitions.map((each) => ({ name: each, type: "string" })),
        parameters: {
          EXTERNAL: "TRUE",
          "projection.enabled": "true",
          "projection.year.type": "integer",
          "projection.year.range": `${folderYears.first},${folderYears.last}`,
          "projection.month.type": "integer",
          "projection.month.range": "1,12",
          "projection.month.digits": "2",
          "projection.day.type": "integer",
          "projection.day.range": "1,31",
          "projection.day.digits": "2",
          "storage.location.template": `${location}/${folders}/`,
        },
        storageDescriptor: {
          location: `${location}/`,
          columns: columns.map((column) => ({ name: column, type: column === "count" ? "int" : "string" })),
          inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
          outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
          serdeInfo: {
            serializationLibrary: "org.openx.data.jsonserde.JsonSerDe",
            // A line that is none is no event, and ends no question.
            parameters: { "ignore.malformed.json": "true", paths: columns.join(",") },
          },
        },
      },
    });
  }

  #workgroup(deployment: string, logBucket: string): CfnWorkGroup {
    const workgroup = new CfnWorkGroup(this, "Workgroup", {
      name: auditWorkgroup(deployment),
      description: `What modfront audit asks of ${deployment}`,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        bytesScannedCutoffPerQuery: mostScanned,
        publishCloudWatchMetricsEnabled: false,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: `s3://${logBucket}/${resultsPrefix}`,
          encryptionConfiguration: { encryptionOption: "SSE_S3" },
          expectedBucketOwner: Stack.of(this).account,
        },
      },
    });
    workgroup.applyRemovalPolicy(RemovalPolicy.DESTROY);
    return workgroup;
  }

  /** What it takes to ask, for people's own roles: it reads, and writes nothing but answers. */
  #policy(
    deployment: string,
    { logBucket, moduleBucket, workgroup }: { logBucket: string; moduleBucket: string; workgroup: string },
  ): void {
    const stack = Stack.of(this);
    const glue = (resource: string, resourceName?: string) =>
      stack.formatArn({ service: "glue", resource, ...(resourceName && { resourceName }) });
    const bucket = (name: string) => `arn:${stack.partition}:s3:::${name}`;
    const calls = ["GetWorkGroup", "StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution"];
    const policy = new ManagedPolicy(this, "Policy", {
      managedPolicyName: auditWorkgroup(deployment),
      description: `To ask who changed and fetched what in ${deployment}: modfront audit --stack ${deployment}`,
      statements: [
        new PolicyStatement({
          actions: calls.map((call) => `athena:${call}`),
          resources: [stack.formatArn({ service: "athena", resource: "workgroup", resourceName: workgroup })],
        }),
        new PolicyStatement({
          actions: ["glue:GetDatabase", "glue:GetTable"],
          resources: [
            glue("catalog"),
            glue("database", this.#database),
            ...[requestsTable, changesTable].map(({ name }) => glue("table", `${this.#database}/${name}`)),
          ],
        }),
        new PolicyStatement({
          actions: ["s3:GetObject"],
          resources: [`${bucket(logBucket)}/AWSLogs/*`, `${bucket(moduleBucket)}/${auditPrefix}*`],
        }),
        new PolicyStatement({
          actions: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
          resources: [`${bucket(logBucket)}/${resultsPrefix}*`],
        }),
        new PolicyStatement({
          actions: ["s3:ListBucket", "s3:GetBucketLocation"],
          resources: [bucket(logBucket), bucket(moduleBucket)],
        }),
        new PolicyStatement({
          actions: ["lambda:GetFunctionConfiguration"],
          resources: [
            stack.formatArn({
              service: "lambda",
              resource: "function",
              resourceName: `${deployment}-control`,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          ],
        }),
      ],
    });
    // As the rule shows an account that is only known when it is deployed.
    const account = Token.isUnresolved(stack.account) ? "<AWS::AccountId>" : stack.account;
    const shown = (name: string) => name.replace(stack.account, account);
    const folders = [
      `${shown(moduleBucket)}/${auditPrefix}*`,
      `${shown(logBucket)}/AWSLogs/*`,
      `${shown(logBucket)}/${resultsPrefix}*`,
    ];
    for (const folder of folders) {
      Validations.of(policy).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${folder}]`,
        reason:
          "Athena reads events and access logs under the names that they have, and writes its answers beside them.",
      });
    }
  }
}
