import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { BackgroundJob } from "../proxy/upkeep/background-job.ts";
import { type BackgroundConsumerParts, createBackgroundConsumer } from "./background-consumer.ts";

/** What takes jobs out of the background queue. */
export function openConsumer(
  queueUrl: string,
  run: BackgroundConsumerParts["run"],
  report: BackgroundConsumerParts["report"],
) {
  return createBackgroundConsumer({ client: new SQSClient({}), queueUrl, run, report });
}

export interface SendOptions {
  /** Where the queue is, when it is elsewhere. */
  readonly region?: string;
  /** Until they are taken. */
  readonly delaySeconds?: number;
}

/** Puts jobs into the background queue, ten with each call; how many it put. */
export async function sendJobs(
  queueUrl: string,
  jobs: AsyncIterable<BackgroundJob> | Iterable<BackgroundJob>,
  { region, delaySeconds: DelaySeconds = 0 }: SendOptions = {},
): Promise<number> {
  const client = new SQSClient(region === undefined ? {} : { region });
  let sent = 0;
  let batch: BackgroundJob[] = [];
  const send = async () => {
    const Entries = batch.map((job, i) => ({ Id: String(i), MessageBody: JSON.stringify(job), DelaySeconds }));
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    sent += batch.length - (answer.Failed?.length ?? 0);
    batch = [];
  };
  for await (const job of jobs) if (batch.push(job) === 10) await send();
  if (batch.length > 0) await send();
  return sent;
}
