import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { newVerifier } from "../golang/note.ts";
import type { OwnLog } from "../proxy/fill/fill.ts";
import { OwnLogReads } from "../proxy/log/own-log-reads.ts";
import type { Clock } from "../proxy/store/clock.ts";
import type { FileLinks } from "../proxy/store/fill-plane.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { ModuleStore } from "../proxy/store/module-store.ts";
import { DynamoClaimStore } from "./dynamo-claim-store.ts";
import { DynamoLeaseStore } from "./dynamo-lease-store.ts";
import { DynamoLogReads } from "./dynamo-log-reads.ts";
import { DynamoRulingStore } from "./dynamo-ruling-store.ts";
import { DynamoSignedHeads } from "./dynamo-signed-heads.ts";
import { DynamoTreeHeadStore } from "./dynamo-tree-head-store.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { LambdaRecordLog } from "./lambda-record-log.ts";
import { S3ModuleStore } from "./s3-module-store.ts";
import { storedVersions } from "./s3-stored-versions.ts";

/** Of the environment of a function that fills; lambda/config/env.ts says what they are. */
export type StoresEnvironment = Readonly<
  Record<"MODFRONT_TABLE" | "MODFRONT_LOG_TABLE" | "MODFRONT_BUCKET" | "MODFRONT_LOG" | "MODFRONT_GOSUMDB", string>
>;

/** Seconds for which a link to a stored file works: it is followed at once, and outlives whatever ends an access. */
const linkLife = 5;

/** Everything the fill plane writes to, and our own log, which it reads and has appended to. */
export function openStores(environment: StoresEnvironment, clock: Clock) {
  const { MODFRONT_TABLE: table, MODFRONT_LOG_TABLE: logTable, MODFRONT_BUCKET: bucket } = environment;
  const dynamo = new DynamoDBClient({});
  const s3 = new S3Client({});
  const store = new S3ModuleStore({ client: s3, bucket });
  return {
    index: new DynamoVersionIndex(dynamo, table),
    claims: new DynamoClaimStore(dynamo, logTable),
    leases: new DynamoLeaseStore(dynamo, table),
    heads: new DynamoTreeHeadStore(dynamo, table),
    rulings: new DynamoRulingStore(dynamo, table),
    store,
    stored: storedVersions(s3, bucket),
    numbers: (modules: readonly ModuleVersion[]) => new DynamoLogReads(dynamo, logTable).numbers(modules),
    ownLog: openOwnLog(environment, { dynamo, store, clock }),
    link: async (key: string): Promise<FileLinks> => {
      const file = { Bucket: bucket, Key: key };
      const sign = { expiresIn: linkLife };
      const [GET, HEAD] = await Promise.all([
        getSignedUrl(s3, new GetObjectCommand(file), sign),
        getSignedUrl(s3, new HeadObjectCommand(file), sign),
      ]);
      return { GET, HEAD };
    },
  };
}

function openOwnLog(
  { MODFRONT_LOG_TABLE: table, MODFRONT_LOG: functionName, MODFRONT_GOSUMDB: verifierKey }: StoresEnvironment,
  parts: { readonly dynamo: DynamoDBClient; readonly store: ModuleStore; readonly clock: Clock },
): OwnLog {
  const { dynamo, store: files, clock } = parts;
  const heads = new DynamoSignedHeads(dynamo, table);
  return {
    name: newVerifier(verifierKey).name,
    log: new LambdaRecordLog({ client: new LambdaClient({}), functionName, dynamo, table, clock }),
    reads: new OwnLogReads({ store: new DynamoLogReads(dynamo, table), heads, files, verifierKey, clock }),
  };
}
