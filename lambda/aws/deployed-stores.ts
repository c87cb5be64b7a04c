import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { FileLinks } from "../proxy/store/fill-plane.ts";
import { DynamoClaimStore } from "./dynamo-claim-store.ts";
import { DynamoLeaseStore } from "./dynamo-lease-store.ts";
import { DynamoTreeHeadStore } from "./dynamo-tree-head-store.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { S3ModuleStore } from "./s3-module-store.ts";

/** Seconds for which a link to a stored file works: it is followed at once, and outlives whatever ends an access. */
const linkLife = 5;

/** Everything the fill plane writes to. */
export function openStores({ table, logTable, bucket }: Readonly<Record<"table" | "logTable" | "bucket", string>>) {
  const dynamo = new DynamoDBClient({});
  const s3 = new S3Client({});
  return {
    index: new DynamoVersionIndex(dynamo, table),
    claims: new DynamoClaimStore(dynamo, logTable),
    leases: new DynamoLeaseStore(dynamo, table),
    heads: new DynamoTreeHeadStore(dynamo, table),
    store: new S3ModuleStore({ client: s3, bucket }),
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
