import {
  CloudFrontKeyValueStoreClient,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
} from "@aws-sdk/client-cloudfront-keyvaluestore";
// The store takes requests signed for all regions at once (SigV4A) only; importing this teaches the client to.
import "@aws-sdk/signature-v4a";
import { awsErrorName, awsErrorStatus } from "./aws-failure.ts";

const attempts = 5;

export type KeyValueClient = Pick<CloudFrontKeyValueStoreClient, "send">;

/**
 * Reads and changes the store as one step: `change` is told the version it begins with and names it in its one write.
 * It is called again when that write ends with a conflict, because another writer was faster.
 */
export async function withVersion<Result>(
  client: KeyValueClient,
  storeArn: string,
  change: (version: string | undefined) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { ETag } = await client.send(new DescribeKeyValueStoreCommand({ KvsARN: storeArn }));
      return await change(ETag);
    } catch (error) {
      if (awsErrorName(error) !== "ConflictException" || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * (0.5 + Math.random() / 2)));
    }
  }
}

/** The value of a key, `undefined` where there is none. */
export async function readKeyValue(
  client: KeyValueClient,
  storeArn: string,
  name: string,
): Promise<string | undefined> {
  try {
    return (await client.send(new GetKeyCommand({ KvsARN: storeArn, Key: name }))).Value;
  } catch (error) {
    if (awsErrorName(error) === "ResourceNotFoundException" || awsErrorStatus(error) === 404) return undefined;
    throw error;
  }
}

/** The store is CloudFront's, which is in us-east-1 whatever the caller's region; the CLI may have none at all. */
export function openKeyValues(): KeyValueClient {
  return new CloudFrontKeyValueStoreClient({ region: "us-east-1" });
}
