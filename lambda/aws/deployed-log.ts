import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { defaultLogName } from "../proxy/log/log-name.ts";
import { OwnLog } from "../proxy/log/own-log.ts";
import { usualPace } from "../proxy/log/pace.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { settleLogName } from "./dynamo-log-names.ts";
import { DynamoLogStore } from "./dynamo-log-store.ts";
import { DynamoPendingRecords } from "./dynamo-pending-records.ts";
import { DynamoSignedHeads } from "./dynamo-signed-heads.ts";
import { KmsSigner, readKmsKey } from "./kms-signer.ts";
import { S3ModuleStore } from "./s3-module-store.ts";

export interface DeployedLogParts {
  /** Of its environment; lambda/config/env.ts says what they are. */
  readonly environment: {
    readonly MODFRONT_LOG_TABLE: string;
    readonly MODFRONT_BUCKET: string;
    readonly MODFRONT_SIGNING_KEY: string;
  };
  /** The log's name where the configuration has one, and the deployment's domain where it has one. */
  readonly settings: { readonly log: { readonly name?: string | undefined; readonly domain?: string | undefined } };
  readonly clock: Clock;
}

/** The log of a deployment with what appends and signs, for the one function that may. Two calls. */
export async function openDeployedLog({ environment, settings, clock }: DeployedLogParts): Promise<OwnLog> {
  const { MODFRONT_LOG_TABLE: table, MODFRONT_BUCKET: bucket, MODFRONT_SIGNING_KEY: signingKey } = environment;
  const [dynamo, kms] = [new DynamoDBClient({}), new KMSClient({})];
  const key = await readKmsKey(kms, signingKey);
  const { name, domain } = settings.log;
  const proposed = defaultLogName(key.publicKey, domain);
  return new OwnLog({
    store: new DynamoLogStore(dynamo, table),
    pending: new DynamoPendingRecords(dynamo, table),
    heads: new DynamoSignedHeads(dynamo, table),
    files: new S3ModuleStore({ client: new S3Client({}), bucket }),
    signer: new KmsSigner(kms, key, name ?? (await settleLogName(dynamo, table, key.publicKey, proposed))),
    clock,
    // A commit takes some 40 ms here with what it reads: who waits less only has his cancelled.
    pace: { ...usualPace, spread: 40 },
  });
}
