import {
  type AccessSettings,
  type Anonymous,
  blockShards,
  readAccess,
  readText,
  readTokens,
  revokedShards,
  type TokenSettings,
  tenantKey,
} from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { ChosenChannels } from "../proxy/channels/channel-parts.ts";
import { channelRows, endedOf } from "../proxy/channels/channel-rows.ts";
import { noBlocks } from "./block-list.ts";
import { packAccess } from "./packed-settings.ts";
import { layOutPrivate, packPrivate, packTenant } from "./private-texts.ts";
import type { Tenants } from "./tenants.ts";
import { newKeys } from "./tokens.ts";

/** CloudFront's limit for all keys and values of a store, in bytes. */
const maxStore = 5 << 20;

/** What a deployment has the edge know. */
export interface DeployedAccess {
  readonly anonymous: Anonymous;
  readonly private: readonly string[];
  readonly tenants: Tenants;
  readonly channels?: ChosenChannels;
}

/** Keys and values of the edge's store. */
export type Values = ReadonlyMap<string, string>;

/**
 * Returns the values of `access` as they must be in the end: `access` itself, all texts of private modules, and those of
 * tenants. Channels that were rolled back at present stay so: a deployment restores none.
 *
 * Throws `CodedError` "private-full" when patterns do not fit.
 */
export function accessValues(
  { anonymous, private: patterns, tenants, channels = {} }: DeployedAccess,
  present: Values = new Map(),
): Values {
  const { others, texts } = layOutPrivate(patterns);
  const rows = channelRows(channels, endedOf(readAccess(present.get("access"))?.channels));
  const values = new Map([["access", packAccess({ anonymous, private: others.join(","), channels: rows })]]);
  for (const [key, own] of texts) values.set(key, packPrivate(own));
  for (const [name, { modules }] of Object.entries(tenants)) values.set(...packTenant(name, modules));
  checkRoom(values);
  return values;
}

/** Every place for revocations and blocks counts as full: they must find room whenever they come. */
function checkRoom(values: Values): void {
  let bytes = (revokedShards + blockShards) * 1030;
  for (const [key, value] of values) bytes += Buffer.byteLength(key + value);
  if (bytes <= maxStore) return;
  throw new CodedError("private-full", "tenants: there are too many for the edge's store of 5 MB: use wider patterns");
}

/**
 * Returns the values that are written first on the way from the present ones to those of `access`, in this order, while
 * the edge is at work, maybe with the code of an earlier version. However far the writing got, what is private before and
 * after is private, and nobody is served more without a token than before or after. What is left is `access` itself.
 *
 * It comes first, with the patterns of before and after: a pattern may move between it and a text. Between two texts none
 * does, because the paths of its modules say which is theirs.
 *
 * Signing keys and revocations are those of whoever makes tokens, and stay; a tenant that is gone has no modules. `blocks` is
 * all that is blocked, as `layOutBlocks` has it.
 */
export function closingValues(
  present: Values,
  access: DeployedAccess,
  identityKey: string,
  blocks: Values = noBlocks(),
): Values {
  const values = new Map<string, string>();
  for (const [key, value] of accessValues(access, present)) {
    values.set(key, key === "access" ? closingAccess(present.get(key), value) : value);
  }
  for (const key of present.keys()) {
    if (key.startsWith(tenantKey("")) && !values.has(key)) values.set(key, "=");
  }
  for (let shard = 0; shard < revokedShards; shard++) {
    if (readText(present.get(`r ${shard}`)) === undefined) values.set(`r ${shard}`, "=");
  }
  for (const [key, text] of blocks) values.set(key, text);
  const tokens = readTokens(present.get("tokens")) ?? { keys: [], revoked: "" };
  values.set("tokens", JSON.stringify({ ...tokens, identityKey } satisfies TokenSettings));
  return changedValues(present, values);
}

/** Returns the value `tokens` with a signing key where it has none yet: whoever exchanges reads it and may not make one. */
export function withSigningKey(text: string | undefined): string | undefined {
  const settings = readTokens(text);
  if (settings === undefined || settings.keys.length > 0) return undefined;
  const keys = newKeys([settings.identityKey]).keys.map(({ secret }) => secret);
  return JSON.stringify({ ...settings, keys } satisfies TokenSettings);
}

/** Returns those of the values that are not there yet. */
export function changedValues(present: Values, values: Values): Values {
  return new Map([...values].filter(([key, value]) => present.get(key) !== value));
}

const strictest: readonly Anonymous[] = ["none", "public", "all"];

function closingAccess(present: string | undefined, wanted: string): string {
  const [before, after] = [readAccess(present), readAccess(wanted) as AccessSettings];
  if (before === undefined) return wanted;
  const patterns = new Set([before, after].flatMap((each) => each.private.split(",").filter(Boolean)));
  const anonymous = strictest.find((mode) => mode === before.anonymous || mode === after.anonymous) ?? "none";
  // What the code of before does not know it does not read, and that of after has no channel until all else is done.
  return packAccess({ anonymous, private: [...patterns].join(","), channels: before.channels });
}
