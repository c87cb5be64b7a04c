import { RemovalPolicy, Stack, type StackProps, Validations } from "aws-cdk-lib";
import { AttributeType, Billing, BillingMode, Table, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Alias, Key, KeySpec, KeyUsage } from "aws-cdk-lib/aws-kms";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct, IConstruct } from "constructs";
import { attributes } from "../lambda/aws/table.ts";
import { ModuleBucket } from "./module-bucket.ts";
import type { Names } from "./names.ts";

/** What both tables are: rows as lambda/aws/table.ts lays them out. */
const table = {
  partitionKey: { name: attributes.key.partition, type: AttributeType.STRING },
  sortKey: { name: attributes.key.sort, type: AttributeType.STRING },
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
} as const;

export interface StorageStackProps extends StackProps {
  readonly names: Names;
  /** For how many days the audit log is kept. */
  readonly auditDays: number;
}

/**
 * What must outlive every deployment: files, index, claims, signing key and secrets, all retained under fixed names.
 *
 * Other stacks find them by name and import nothing from here. A second region adds its own bucket in a stack of its
 * own; index and signing key are made for replicas from the first day, because neither can be changed later.
 *
 * A deployment that fails before they were ever in use takes away what it made, so that it can be repeated. It cannot take
 * away tables, which are protected: they are made last, when nothing else is left to fail.
 */
export class StorageStack extends Stack {
  constructor(scope: Construct, id: string, props: StorageStackProps) {
    super(scope, id, props);
    const { names } = props;
    const bucket = new ModuleBucket(this, "Modules", {
      bucketName: names.bucket(this.region),
      auditDays: props.auditDays,
    });
    const first = [bucket, ...this.#signingKey(names), ...this.#secrets(names)];
    const table = this.#table(names);
    table.node.addDependency(...first);
    this.#logTable(names).node.addDependency(table);
  }

  #table(names: Names): TableV2 {
    return new TableV2(this, "Table", {
      ...table,
      tableName: names.table,
      timeToLiveAttribute: attributes.sweep,
      billing: Billing.onDemand(),
    });
  }

  /** Nothing here is swept, and the class knows no replicas: docs/decisions/log-table.md. */
  #logTable(names: Names): Table {
    const tableName = names.logTable;
    return new Table(this, "LogTable", { ...table, tableName, billingMode: BillingMode.PAY_PER_REQUEST });
  }

  /** Signs the heads of our own checksum database; its public half is what developers put into GOSUMDB. */
  #signingKey(names: Names): readonly IConstruct[] {
    const targetKey = new Key(this, "SigningKey", {
      description: "Signs the tree heads of modfront's checksum database",
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      multiRegion: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const aliasName = names.signingKeyAlias;
    const removalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    return [targetKey, new Alias(this, "SigningKeyAlias", { aliasName, targetKey, removalPolicy })];
  }

  #secrets(names: Names): readonly IConstruct[] {
    const edge = new Secret(this, "EdgeSecret", {
      secretName: names.edgeSecret,
      description: "The key with which the edge signs requests to the API",
      generateSecretString: {
        secretStringTemplate: "{}",
        generateStringKey: "identityKey",
        passwordLength: 43,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const credentials = new Secret(this, "UpstreamCredentials", {
      secretName: names.credentialsSecret,
      description: 'JSON object: host of an upstream to "user:password"',
      // Made with a value of no meaning: CloudFormation knows no empty object, and never writes it again.
      generateSecretString: { secretStringTemplate: "{}", generateStringKey: "example.invalid" },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    for (const secret of [edge, credentials]) {
      Validations.of(secret).acknowledge({
        id: "AwsSolutions-SMG4",
        reason:
          "Rotated by hand as docs/deploy.md says: upstreams give out their own credentials, the edge needs both keys.",
      });
    }
    return [edge, credentials];
  }
}
