import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeMessageVisibilityCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { createBackgroundConsumer } from "../../lambda/aws/background-consumer.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";

const job = '{"kind":"refresh","path":"example.com/m"}';

/** Consumes one message; `run` ends with `error`. What became of the message and when it is seen again. */
async function consume(body: string, received: number, error?: Error) {
  const reports: string[] = [];
  const pauses: (number | undefined)[] = [];
  const send = async (command: ChangeMessageVisibilityCommand) => {
    pauses.push(command.input.VisibilityTimeout);
    throw new Error("the queue does not answer");
  };
  const consumer = createBackgroundConsumer({
    run: async () => {
      if (error !== undefined) throw error;
    },
    client: { send } as unknown as SQSClient,
    queueUrl: "q",
    report: (outcome) => void reports.push(outcome),
  });
  const record = {
    messageId: "m1",
    body,
    receiptHandle: "h",
    attributes: { ApproximateReceiveCount: String(received) },
  };
  const { batchItemFailures } = await consumer({ Records: [record] } as unknown as SQSEvent);
  return { reports, pauses, failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
}

const outage = new ServedError("upstream-failed", "down");
const rows: readonly (readonly [
  what: string,
  body: string,
  received: number,
  error: Error | undefined,
  report: string,
  pauses: readonly number[],
])[] = [
  ["a job that is done", job, 1, undefined, "done", []],
  ["an outage, the first time", job, 1, outage, "again", [30]],
  ["an outage, the second time", job, 2, outage, "again", [300]],
  ["an outage, the third time", job, 3, outage, "again", [900]],
  ["an outage, the last time", job, 4, outage, "again", [900]],
  ["anything unexpected", job, 1, new TypeError("x"), "again", [30]],
  ["a module that is not there", job, 1, new ServedError("not-found", "x"), "final", []],
  ["a module that may not be had", job, 1, new ServedError("checksum-unknown", "x"), "final", []],
  ["no job: at once, so that it is put aside soon", "junk", 2, undefined, "again", [0]],
];

for (const [what, body, received, error, report, pauses] of rows) {
  test(what, async () => {
    const failed = report === "again" ? ["m1"] : [];
    assert.deepEqual(await consume(body, received, error), { reports: [report], pauses, failed });
  });
}
