import { ChangeMessageVisibilityCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { isCodedError } from "../golang/coded-error.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { type BackgroundJob, parseJob } from "../proxy/upkeep/background-job.ts";

export interface BackgroundConsumerParts {
  readonly run: (job: BackgroundJob) => Promise<void>;
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** Told how each message ended. */
  readonly report: (outcome: "done" | "final" | "again", messageId: string, error: unknown) => void;
}

/** Seconds until the next try, by how often the message was received; the queue puts it aside after the last. */
const pauses = [30, 300, 900] as const;

/**
 * The consumer of the background queue. A message that failed goes back to the queue for a while, longer each time; one
 * that is no job at once, so that it ends among the dead letters within seconds.
 */
export function createBackgroundConsumer(
  parts: BackgroundConsumerParts,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async (event) => {
    const failed: SQSRecord[] = [];
    for (const record of event.Records) if (!(await consume(parts, record))) failed.push(record);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** False when the message must be seen again. */
async function consume(parts: BackgroundConsumerParts, record: SQSRecord): Promise<boolean> {
  try {
    await parts.run(parseJob(record.body));
    parts.report("done", record.messageId, undefined);
    return true;
  } catch (error) {
    const done = error instanceof ServedError && error.traits.final;
    parts.report(done ? "final" : "again", record.messageId, error);
    if (!done) await giveBack(parts, record, error);
    return done;
  }
}

async function giveBack(parts: BackgroundConsumerParts, record: SQSRecord, error: unknown): Promise<void> {
  const received = Number(record.attributes.ApproximateReceiveCount);
  const pause = isCodedError(error, "bad-job") ? 0 : (pauses[received - 1] ?? pauses[2]);
  const { client, queueUrl } = parts;
  await client
    .send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: record.receiptHandle,
        VisibilityTimeout: pause,
      }),
    )
    // Then the message comes back when its visibility ends by itself.
    .catch(() => {});
}
