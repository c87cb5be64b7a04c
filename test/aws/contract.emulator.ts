import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TokenRecord } from "../../lambda/access/token-store.ts";
import { DynamoClaimStore } from "../../lambda/aws/dynamo-claim-store.ts";
import { DynamoCredentialStore } from "../../lambda/aws/dynamo-credential-store.ts";
import { DynamoLeaseStore } from "../../lambda/aws/dynamo-lease-store.ts";
import { DynamoLogStore } from "../../lambda/aws/dynamo-log-store.ts";
import { DynamoPendingRecords } from "../../lambda/aws/dynamo-pending-records.ts";
import { DynamoRulingStore } from "../../lambda/aws/dynamo-ruling-store.ts";
import { DynamoSignedHeads } from "../../lambda/aws/dynamo-signed-heads.ts";
import { DynamoTokenRecords } from "../../lambda/aws/dynamo-token-records.ts";
import { DynamoTreeHeadStore } from "../../lambda/aws/dynamo-tree-head-store.ts";
import { DynamoUsedTokens } from "../../lambda/aws/dynamo-used-tokens.ts";
import { DynamoVersionIndex } from "../../lambda/aws/dynamo-version-index.ts";
import { S3AuditLog } from "../../lambda/aws/s3-audit-log.ts";
import { S3ModuleStore } from "../../lambda/aws/s3-module-store.ts";
import { SecretCredentials } from "../../lambda/aws/secret-credentials.ts";
import { auditLogContract } from "../contract/audit-log.ts";
import { claimStoreContract } from "../contract/claim-store.ts";
import { credentialStoreContract } from "../contract/credential-store.ts";
import { leaseStoreContract } from "../contract/lease-store.ts";
import { logStoreContract, signedHeadsContract } from "../contract/log-store.ts";
import { moduleStoreContract } from "../contract/module-store.ts";
import type { Open } from "../contract/opened.ts";
import { rulingStoreContract } from "../contract/ruling-store.ts";
import { tokenStoreContract } from "../contract/token-store.ts";
import { headStoreContract } from "../contract/tree-head-store.ts";
import { usedTokensContract } from "../contract/used-tokens.ts";
import { versionIndexContract } from "../contract/version-index.ts";
import { CallWatch, dynamoClient, makeBucket, makeTable, s3Client, secretsClient } from "../support/aws-clients.ts";
import { deployAccess, nobodys, openTokens } from "../support/deployed-tokens.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";
import { together } from "../support/log-parts.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";
import { keyValuesOf } from "../support/tokens.ts";

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

rulingStoreContract(
  "DynamoRulingStore",
  overTable((client, table) => new DynamoRulingStore(client, table)),
);

credentialStoreContract("DynamoCredentialStore with SecretCredentials", async () => {
  const table = await makeTable(dynamoClient(aws, new CallWatch()));
  const folder = `${table}/credentials/`;
  const open = () => {
    const parts = { client: dynamoClient(aws, new CallWatch()), secrets: secretsClient(aws, new CallWatch()), table };
    // Each look is seconds after the one before.
    let now = 0;
    const elapsed = () => {
      now += 10_000;
      return now;
    };
    return {
      store: new DynamoCredentialStore({ ...parts, folder }),
      reads: new SecretCredentials({ ...parts, elapsed }),
    };
  };
  return { store: open(), reopen: async () => open() };
});

usedTokensContract(
  "DynamoUsedTokens",
  overTable((client, table) => new DynamoUsedTokens(client, table)),
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

// The records are rows of the emulator's table. The edge's store is in memory: access.e2e.ts has the emulator's.
tokenStoreContract("DeployedTokenStore over DynamoTokenRecords", async () => {
  const client = dynamoClient(aws, new CallWatch());
  const table = await makeTable(client);
  const keyValues = new FakeKeyValues();
  const open = (again: typeof client) => openTokens(keyValues, new DynamoTokenRecords(again, table));
  await deployAccess(keyValues, new DynamoTokenRecords(client, table), nobodys, 1_800_000_000);
  return {
    store: open(client),
    other: open(dynamoClient(aws, new CallWatch())),
    edge: async () => keyValuesOf(keyValues.values),
  };
});

test("DynamoTokenRecords keep what came first, and note nothing of what was swept", async () => {
  const client = dynamoClient(aws, new CallWatch());
  const records = new DynamoTokenRecords(client, await makeTable(client));
  const times = { created: 1_800_000_000, expires: 1_800_086_400 };
  const first: TokenRecord = { id: "a", subject: "alice", role: "viewer", modules: "", key: "k", ...times };
  assert.deepEqual(await Promise.all([records.add(first), records.add(first)]).then((each) => each.toSorted()), [
    false,
    true,
  ]);
  assert.equal(await records.add({ ...first, subject: "mallory" }), false);
  await records.noteRevoked("a", 1_800_000_001);
  await records.noteRevoked("a", 1_800_000_002);
  assert.deepEqual(await records.find("a"), { ...first, revoked: 1_800_000_001 });
  await records.noteRevoked("gone", 1_800_000_001);
  assert.equal(await records.find("gone"), undefined);
  assert.deepEqual(await records.list(10), { items: [{ ...first, revoked: 1_800_000_001 }] });
});
