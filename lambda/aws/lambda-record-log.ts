import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Clock } from "../proxy/store/clock.ts";
import { type LogRecord, recordsOfCommit } from "../proxy/store/log-store.ts";
import type { RecordLog } from "../proxy/store/record-log.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { awsErrorName } from "./aws-failure.ts";
import { addPending } from "./dynamo-pending-rows.ts";
import { packAppend, unpackNumbers } from "./log-invocation.ts";

export interface LambdaRecordLogOptions {
  readonly client: LambdaClient;
  /** Of the function that signs: name or ARN, with the alias. */
  readonly functionName: string;
  readonly dynamo: DynamoDBClient;
  /** Of the log. */
  readonly table: string;
  readonly clock: Pick<Clock, "now" | "sleep">;
}

/** Milliseconds after which the log is too busy: whoever fills has claimed and staged, so that the next try goes on from there. */
const patience = 60_000;

/** Milliseconds for one call: the function's own time limit is under it. */
const callPatience = 35_000;

const pauses = { first: 100, longest: 2_000 } as const;

/**
 * The log behind the function that alone signs. An append is one synchronous invocation; since doing it again returns the
 * same numbers, one that was throttled, cut off or lost is done again for up to a minute. What is left for the background is
 * written where the log lies, and the function takes it along with the next append, or when its schedule rings.
 */
export class LambdaRecordLog implements RecordLog {
  readonly #options: LambdaRecordLogOptions;

  constructor(options: LambdaRecordLogOptions) {
    this.#options = options;
  }

  async append(records: readonly LogRecord[]): Promise<readonly bigint[]> {
    const numbers: bigint[] = [];
    for (let from = 0; from < records.length; from += recordsOfCommit)
      numbers.push(...(await this.#append(records.slice(from, from + recordsOfCommit))));
    return numbers;
  }

  async enqueue(records: readonly LogRecord[]): Promise<void> {
    await addPending(this.#options.dynamo, this.#options.table, records);
  }

  async #append(records: readonly LogRecord[]): Promise<readonly bigint[]> {
    const { clock } = this.#options;
    const deadline = clock.now() + patience;
    for (let pause: number = pauses.first; ; pause = Math.min(pause * 2, pauses.longest)) {
      try {
        return unpackNumbers(await this.#invoke(records), records.length);
      } catch (error) {
        if (error instanceof ServedError) throw error;
        if (clock.now() + pause > deadline) throw unreachable(error);
      }
      await clock.sleep(pause * (0.5 + Math.random() / 2));
    }
  }

  async #invoke(records: readonly LogRecord[]): Promise<Uint8Array> {
    const { client, functionName } = this.#options;
    const Payload = Buffer.from(JSON.stringify(packAppend(records)));
    const { FunctionError, Payload: answer } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload }),
      { abortSignal: AbortSignal.timeout(callPatience) },
    );
    if (FunctionError !== undefined || answer === undefined) throw new Error("the log's function failed");
    return answer;
  }
}

function unreachable(cause: unknown): ServedError {
  const isBusy = awsErrorName(cause) === "TooManyRequestsException";
  const message = isBusy ? "the log has no free place: try again" : "the log could not be asked";
  return new ServedError(isBusy ? "log-busy" : "store-failed", message, { cause });
}
