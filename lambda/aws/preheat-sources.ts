import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { KnownModule } from "../proxy/upkeep/preheat.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { S3ModuleStore } from "./s3-module-store.ts";

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

/** All modules with a stored version, and when the newest came. */
export function knownModules(table: string): AsyncIterable<KnownModule> {
  return new DynamoVersionIndex(new DynamoDBClient({}), table).modules();
}
