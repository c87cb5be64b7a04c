import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { layOutBlocks } from "./access/block-list.ts";
import {
  accessValues,
  changedValues,
  closingValues,
  type DeployedAccess,
  withSigningKey,
} from "./access/deployed-values.ts";
import { answerCustomResource } from "./aws/custom-resource.ts";
import { openRulings, readBlocked, tellEdge } from "./aws/deployed-ruling-store.ts";
import { openTokenRecords } from "./aws/dynamo-token-records.ts";
import { moveEarlierTokens } from "./aws/earlier-tokens.ts";
import { parseIdentityKeys } from "./aws/identity-keys.ts";
import type { KeyValueChanges } from "./aws/key-value-pieces.ts";
import { openKeyValues } from "./aws/key-value-store.ts";
import { changeKeyValues } from "./aws/key-value-writes.ts";
import { openSecret } from "./aws/open-secret.ts";
import type { TellEvent } from "./aws/tell-event.ts";
import { readEnvironment, readSettings } from "./config/env.ts";

// The control plane: writes what the edge must know, never modules. It is called by CloudFormation, when the edge stack
// is deployed: before the edge's code changes and after it; and by a schedule, for what a process that died has not told it.

const environment = readEnvironment("control");
const settings = readSettings("control");
const access: DeployedAccess = {
  anonymous: settings.access.anonymous ?? "none",
  private: settings.private,
  tenants: settings.tenants,
  channels: settings.channels,
};

function openBlocks() {
  const { MODFRONT_KEY_VALUE_STORE: storeArn, MODFRONT_PRIMARY_REGION: region, MODFRONT_TABLE: table } = environment;
  return openRulings({ storeArn, region, table }, Date.now);
}

type Values = ReadonlyMap<string, string>;

/** What the edge's code of before and after can both act by. */
async function prepare(present: Values): Promise<KeyValueChanges> {
  const { MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION } = environment;
  const [identityKey = ""] = parseIdentityKeys(await openSecret(MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION));
  const blocks = layOutBlocks(await readBlocked(openBlocks().rows), Date.now());
  return { puts: closingValues(present, access, identityKey, blocks) };
}

/** What only the new code can act by, and what an earlier version kept of tokens in the store. */
async function finish(present: Values): Promise<KeyValueChanges> {
  const { MODFRONT_PRIMARY_REGION: region, MODFRONT_TABLE: table } = environment;
  const moved = await moveEarlierTokens(present, openTokenRecords(table, region), Math.floor(Date.now() / 1000));
  const puts = new Map([...changedValues(present, accessValues(access, present)), ...moved.puts]);
  const tokens = withSigningKey(puts.get("tokens") ?? present.get("tokens"));
  // Last, for it says that all before it was done.
  if (tokens !== undefined) puts.set("tokens", tokens);
  return { ...moved, puts };
}

export async function handler(event: CloudFormationCustomResourceEvent | TellEvent): Promise<void> {
  if ("tell" in event) return await tellEdge(openBlocks());
  const { MODFRONT_KEY_VALUE_STORE: store } = environment;
  const isLast = event.ResourceProperties.step === "finish";
  await answerCustomResource(event, isLast ? `${store} finish` : store, async () => {
    await changeKeyValues(openKeyValues(), store, isLast ? finish : prepare);
    return undefined;
  });
}
