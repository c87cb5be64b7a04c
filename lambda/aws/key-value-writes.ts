import { ListKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { type KeyValueChanges, writeKeyValues } from "./key-value-pieces.ts";
import { type KeyValueClient, withVersion } from "./key-value-store.ts";

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
    await writeKeyValues(client, storeArn, version, await plan(await readAll(client, storeArn)));
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
