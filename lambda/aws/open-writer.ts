import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { BackgroundJob } from "../proxy/upkeep/background-job.ts";
import { createBackgroundConsumer } from "./background-consumer.ts";
import { DynamoClaimStore } from "./dynamo-claim-store.ts";
import { DynamoHeadStore } from "./dynamo-head-store.ts";
import { DynamoLeaseStore } from "./dynamo-lease-store.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { readSecret } from "./identity-keys.ts";
import { S3ModuleStore } from "./s3-module-store.ts";

/** Seconds for which a link to a stored file works; it is followed at once. */
const linkLife = 300;

/** Everything the fill plane writes to. */
export function openStores({ table, logTable, bucket }: Readonly<Record<"table" | "logTable" | "bucket", string>>) {
  const dynamo = new DynamoDBClient({});
  const s3 = new S3Client({});
  return {
    index: new DynamoVersionIndex(dynamo, table),
    claims: new DynamoClaimStore(dynamo, logTable),
    leases: new DynamoLeaseStore(dynamo, table),
    heads: new DynamoHeadStore(dynamo, table),
    store: new S3ModuleStore({ client: s3, bucket }),
    link: (key: string) =>
      getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: linkLife }),
  };
}

export function openSecret(name: string): Promise<string> {
  return readSecret(new SecretsManagerClient({}), name);
}

export function openConsumer(
  queueUrl: string,
  run: (job: BackgroundJob) => Promise<void>,
  report: Parameters<typeof createBackgroundConsumer>[0]["report"],
) {
  return createBackgroundConsumer({ client: new SQSClient({}), queueUrl, run, report });
}

/** Puts jobs into the background queue, ten with each call; how many it put. */
export async function sendJobs(queueUrl: string, jobs: AsyncIterable<BackgroundJob>): Promise<number> {
  const client = new SQSClient({});
  let sent = 0;
  let batch: BackgroundJob[] = [];
  const send = async () => {
    const Entries = batch.map((job, i) => ({ Id: String(i), MessageBody: JSON.stringify(job) }));
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    sent += batch.length - (answer.Failed?.length ?? 0);
    batch = [];
  };
  for await (const job of jobs) if (batch.push(job) === 10) await send();
  if (batch.length > 0) await send();
  return sent;
}

/** The files that people put there for preheating; one of more than 16 MiB stays unread. */
export async function* readPreheatFiles(
  bucket: string,
  prefix: string,
): AsyncIterable<{ readonly name: string; readonly text: string | undefined }> {
  const store = new S3ModuleStore({ client: new S3Client({}), bucket });
  for await (const name of store.keys(prefix)) {
    const bytes = await store.read(name).catch(() => undefined);
    yield { name, text: bytes && new TextDecoder().decode(bytes) };
  }
}

/** The paths of all modules with a stored version. */
export function knownModules(table: string): AsyncIterable<string> {
  return new DynamoVersionIndex(new DynamoDBClient({}), table).modules();
}
