import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Ministack } from "./ministack.ts";

/** Says what goes wrong with one call: it never arrives, or it arrives and its answer is lost. */
export type Failpoint = "lost-request" | "lost-answer";

interface MiddlewareStack {
  add(
    middleware: (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => unknown,
    options: { step: "initialize" | "finalizeRequest"; name: string; priority?: "low"; tags?: string[] },
  ): void;
}

/** Counts a client's calls by command (`{ QueryCommand: 1 }`) and lets tests break the next attempt of one of them. */
export class CallWatch {
  readonly calls: Record<string, number> = {};
  readonly #broken = new Map<string, { readonly failpoint: Failpoint; sound: number }>();

  /** Counts calls as the code makes them; a failpoint acts on one attempt, below the client's own retries. */
  watch<Client extends { readonly middlewareStack: unknown }>(client: Client): Client {
    const stack = client.middlewareStack as MiddlewareStack;
    const count = (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => {
      return async (args: unknown) => {
        const name = context.commandName ?? "unknown";
        this.calls[name] = (this.calls[name] ?? 0) + 1;
        return await next(args);
      };
    };
    const breakAttempt = (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => {
      return async (args: unknown) => {
        const failpoint = this.#due(context.commandName ?? "");
        if (failpoint === "lost-request") throw lost();
        const answer = await next(args);
        if (failpoint === "lost-answer") throw lost();
        return answer;
      };
    };
    stack.add(count, { step: "initialize", name: "countCalls" });
    stack.add(breakAttempt, { step: "finalizeRequest", name: "failpoint", priority: "low" });
    return client;
  }

  /** Breaks the next attempt of a command, or one after so many sound ones. */
  breakNext(command: string, failpoint: Failpoint, sound = 0): void {
    this.#broken.set(command, { failpoint, sound });
  }

  #due(command: string): Failpoint | undefined {
    const broken = this.#broken.get(command);
    if (broken === undefined || broken.sound-- > 0) return undefined;
    this.#broken.delete(command);
    return broken.failpoint;
  }

  /** The calls since the last time it was asked. */
  take(): Record<string, number> {
    const taken = { ...this.calls };
    for (const name of Object.keys(this.calls)) delete this.calls[name];
    return taken;
  }
}

function lost(): Error {
  return Object.assign(new Error("socket hang up"), { name: "TimeoutError", $retryable: { throttling: false } });
}

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

export function dynamoClient(aws: Ministack, watch: CallWatch): DynamoDBClient {
  return watch.watch(new DynamoDBClient({ endpoint: aws.endpoint, region: "us-east-1", credentials }));
}

export function s3Client(aws: Ministack, watch: CallWatch): S3Client {
  const options = { endpoint: aws.endpoint, region: "us-east-1", credentials, forcePathStyle: true };
  return watch.watch(new S3Client(options));
}

export function secretsClient(aws: Ministack, watch: CallWatch): SecretsManagerClient {
  return watch.watch(new SecretsManagerClient({ endpoint: aws.endpoint, region: "us-east-1", credentials }));
}

export function kmsClient(aws: Ministack, watch: CallWatch): KMSClient {
  return watch.watch(new KMSClient({ endpoint: aws.endpoint, region: "us-east-1", credentials }));
}

/** The id of a new key like the one that the storage stack deploys. */
export async function makeSigningKey(client: KMSClient): Promise<string> {
  const made = await client.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" }));
  return made.KeyMetadata?.KeyId ?? "";
}

let made = 0;

/** A new table of the shape that the storage stack deploys. */
export async function makeTable(client: DynamoDBClient): Promise<string> {
  const TableName = `table-${process.pid}-${made++}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "p", KeyType: "HASH" },
        { AttributeName: "s", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "p", AttributeType: "S" },
        { AttributeName: "s", AttributeType: "S" },
      ],
    }),
  );
  return TableName;
}

export async function makeBucket(client: S3Client): Promise<string> {
  const Bucket = `bucket-${process.pid}-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}
