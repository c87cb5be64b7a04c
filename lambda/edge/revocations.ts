import { revokedShards, shardOf } from "./access-settings.ts";
import type { Hmac } from "./hmac.ts";

// Which tokens are revoked: the texts `r 0` to `r 1023`. Each is entries of 11 characters, one after the other: 48 bits
// that stand for the id of a token, and the day on which it ends, from when on the entry is in the way.

/** Of an entry. */
export const entryLength = 11;

/** The key of the text that has the token, should it be revoked. */
export function revokedKey(id: string): string {
  return `r ${shardOf(id, revokedShards)}`;
}

/** Returns 48 bits of a hash of the id, as 8 characters. */
export function fingerprint(id: string, hmac: Hmac): string {
  return hmac("revoked", id).slice(0, 8);
}

/** True when an entry of the text stands for the id. That others together look like one is as unlikely as that another does. */
export function isRevoked(entries: string, id: string, hmac: Hmac): boolean {
  return entries.indexOf(fingerprint(id, hmac)) >= 0;
}
