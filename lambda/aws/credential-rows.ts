import { type AttributeValue, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { CredentialKind } from "../upstream/credentials/configured-credentials.ts";
import type { CredentialChange, ShownCredential } from "../upstream/credentials/credential-store.ts";
import { attributes, credentialKey, credentialPartition, keyAttributes } from "./table.ts";

/** A credential that was set, without its secret, of which the row has the name; or that one was removed. */
export interface CredentialRow extends ShownCredential, CredentialChange {
  /** In AWS Secrets Manager; empty where it was removed. */
  readonly secretName: string;
}

/** Seconds for which it is known when one was removed: longer than a change waits to be settled. */
const remembered = 3 * 86_400;

/** All rows, those of removed ones too: one Query for each MB, which are thousands. */
export async function readCredentialRows(
  client: Pick<DynamoDBClient, "send">,
  table: string,
): Promise<readonly CredentialRow[]> {
  const rows: CredentialRow[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: "#p = :p",
        ExpressionAttributeNames: { "#p": attributes.key.partition },
        ExpressionAttributeValues: { ":p": { S: credentialPartition } },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    );
    rows.push(...Items.map(toCredentialRow));
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return rows;
}

export function fromCredentialRow(row: CredentialRow): Record<string, AttributeValue> {
  const a = attributes.credential;
  return {
    ...keyAttributes(credentialKey(row)),
    [a.kind]: { S: row.kind },
    [a.changed]: { N: String(row.changed) },
    [a.request]: { S: row.request },
    [a.secretName]: { S: row.secretName },
    ...(row.user !== undefined && { [a.user]: { S: row.user } }),
    ...(row.removed && {
      [a.removed]: { BOOL: true },
      [attributes.sweep]: { N: String(Math.floor(row.changed / 1000) + remembered) },
    }),
  };
}

export function toCredentialRow(row: Readonly<Record<string, AttributeValue>>): CredentialRow {
  const a = attributes.credential;
  const text = (name: string) => row[name]?.S ?? "";
  const [, tenant = "", match = ""] = /^(\S*) (.*)$/s.exec(text(attributes.key.sort)) ?? [];
  const user = row[a.user]?.S;
  return {
    tenant,
    match,
    kind: text(a.kind) as CredentialKind,
    changed: Number(row[a.changed]?.N),
    request: text(a.request),
    secretName: text(a.secretName),
    removed: row[a.removed]?.BOOL === true,
    ...(user !== undefined && { user }),
  };
}
