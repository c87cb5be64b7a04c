import { ListKeysCommand, UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { type KeyValueClient, withVersion } from "./key-value-store.ts";

/** What CloudFront's KeyValueStore takes in one write. */
const mostChanges = 50;

/** Keys to write and keys to remove, in this order. */
export interface KeyValueChanges {
  readonly puts: ReadonlyMap<string, string>;
  readonly deletes?: readonly string[];
}

/**
 * Makes changes that are too many for one write, from all that is in the store: in pieces, in their order, each on
 * condition that nobody else wrote meanwhile. Else, and after a crash, it begins anew with what is there then, so that
 * `plan` must find the rest of a change that was begun.
 */
export async function changeKeyValues(
  client: KeyValueClient,
  storeArn: string,
  plan: (present: ReadonlyMap<string, string>) => Promise<KeyValueChanges>,
): Promise<void> {
  await withVersion(client, storeArn, async (version) => {
    const { puts, deletes = [] } = await plan(await readAll(client, storeArn));
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
  });
}

async function readAll(client: KeyValueClient, storeArn: string): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListKeysCommand({ KvsARN: storeArn, MaxResults: 50, NextToken }));
    for (const { Key = "", Value = "" } of page.Items ?? []) values.set(Key, Value);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return values;
}
