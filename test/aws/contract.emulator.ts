import { after, before } from "node:test";
import { DynamoClaimStore } from "../../lambda/aws/dynamo-claim-store.ts";
import { DynamoLeaseStore } from "../../lambda/aws/dynamo-lease-store.ts";
import { DynamoLogStore } from "../../lambda/aws/dynamo-log-store.ts";
import { DynamoPendingRecords } from "../../lambda/aws/dynamo-pending-records.ts";
import { DynamoSignedHeads } from "../../lambda/aws/dynamo-signed-heads.ts";
import { DynamoTreeHeadStore } from "../../lambda/aws/dynamo-tree-head-store.ts";
import { DynamoVersionIndex } from "../../lambda/aws/dynamo-version-index.ts";
import { S3AuditLog } from "../../lambda/aws/s3-audit-log.ts";
import { S3ModuleStore } from "../../lambda/aws/s3-module-store.ts";
import { auditLogContract } from "../contract/audit-log.ts";
import { claimStoreContract } from "../contract/claim-store.ts";
import { leaseStoreContract } from "../contract/lease-store.ts";
import { logStoreContract, signedHeadsContract } from "../contract/log-store.ts";
import { moduleStoreContract } from "../contract/module-store.ts";
import type { Open } from "../contract/opened.ts";
import { headStoreContract } from "../contract/tree-head-store.ts";
import { versionIndexContract } from "../contract/version-index.ts";
import { CallWatch, dynamoClient, makeBucket, makeTable, s3Client } from "../support/aws-clients.ts";
import { together } from "../support/log-parts.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";

// The contracts that the local adapters keep, kept by S3 and DynamoDB. "Another process" is another client.

let aws: Ministack;

before(async () => {
  aws = await startMinistack();
});

after(async () => {
  await aws.stop();
});

function overTable<T>(make: (client: ReturnType<typeof dynamoClient>, table: string) => T): Open<T> {
  return async () => {
    const client = dynamoClient(aws, new CallWatch());
    const table = await makeTable(client);
    return { store: make(client, table), reopen: async () => make(dynamoClient(aws, new CallWatch()), table) };
  };
}

moduleStoreContract("S3ModuleStore", async () => {
  const client = s3Client(aws, new CallWatch());
  const bucket = await makeBucket(client);
  const open = (again: typeof client) => new S3ModuleStore({ client: again, bucket });
  return { store: open(client), reopen: async () => open(s3Client(aws, new CallWatch())) };
});

versionIndexContract(
  "DynamoVersionIndex",
  overTable((client, table) => new DynamoVersionIndex(client, table)),
);

leaseStoreContract(
  "DynamoLeaseStore",
  overTable((client, table) => new DynamoLeaseStore(client, table)),
);

headStoreContract(
  "DynamoTreeHeadStore",
  overTable((client, table) => new DynamoTreeHeadStore(client, table)),
);

claimStoreContract(
  "DynamoClaimStore",
  overTable((client, table) => new DynamoClaimStore(client, table)),
);

auditLogContract("S3AuditLog", async () => {
  const client = s3Client(aws, new CallWatch());
  const bucket = await makeBucket(client);
  const open = (again: typeof client) => new S3AuditLog({ client: again, bucket });
  return { store: open(client), reopen: async () => open(s3Client(aws, new CallWatch())) };
});

logStoreContract(
  "DynamoLogStore",
  overTable((client, table) => together(new DynamoLogStore(client, table), new DynamoPendingRecords(client, table))),
);

signedHeadsContract(
  "DynamoSignedHeads",
  overTable((client, table) => new DynamoSignedHeads(client, table)),
);
