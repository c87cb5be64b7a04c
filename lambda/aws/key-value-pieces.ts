import { UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { KeyValueClient } from "./key-value-store.ts";

/** What CloudFront's KeyValueStore takes in one write. */
const mostChanges = 50;

/** Keys to write and keys to remove, in this order. */
export interface KeyValueChanges {
  readonly puts: ReadonlyMap<string, string>;
  readonly deletes?: readonly string[];
}

/** Makes changes in pieces, in their order, the first on condition that the store is in this version and each that nobody else wrote. */
export async function writeKeyValues(
  client: KeyValueClient,
  storeArn: string,
  version: string | undefined,
  { puts, deletes = [] }: KeyValueChanges,
): Promise<void> {
  const changes = [
    ...[...puts].map(([Key, Value]) => ({ put: { Key, Value } })),
    ...deletes.map((Key) => ({ remove: { Key } })),
  ];
  let IfMatch = version;
  for (let from = 0; from < changes.length; from += mostChanges) {
    const piece = changes.slice(from, from + mostChanges);
    const Puts = piece.flatMap((change) => ("put" in change ? change.put : []));
    const Deletes = piece.flatMap((change) => ("remove" in change ? change.remove : []));
    IfMatch = (await client.send(new UpdateKeysCommand({ KvsARN: storeArn, IfMatch, Puts, Deletes }))).ETag;
  }
}
