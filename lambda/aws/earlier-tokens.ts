import { hmac } from "../access/hmac.ts";
import { addEntry, revocationEntry } from "../access/revocations.ts";
import type { TokenRecord } from "../access/token-store.ts";
import { keyId } from "../access/tokens.ts";
import { readText, readTokens } from "../edge/access-settings.ts";
import { revokedKey } from "../edge/revocations.ts";
import type { Role } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { DynamoTokenRecords } from "./dynamo-token-records.ts";
import type { KeyValueChanges } from "./key-value-pieces.ts";

/** How the keys began under which earlier versions kept the records of tokens. */
const recordPrefix = "token/";

/**
 * Moves what earlier versions kept of tokens in the edge's store: their records into the table, and revocations into the
 * places that the edge has for them now. Returns the changes of the store; what they change last says that all was moved.
 *
 * Records are written first and never over one that is there, so that repeating it after a crash is safe. Until the
 * last change the list of revoked ids stays, by which the edge's code of any version refuses them.
 */
export async function moveEarlierTokens(
  present: ReadonlyMap<string, string>,
  records: Pick<DynamoTokenRecords, "add">,
  now: number,
): Promise<KeyValueChanges> {
  const settings = readTokens(present.get("tokens"));
  if (settings === undefined) throw new CodedError("tokens-unreadable", "the key value tokens is damaged");
  const keys = new Set(settings.keys.map(keyId));
  const earlier = [...present.keys()].filter((key) => key.startsWith(recordPrefix));
  const tokens = earlier.map((key) => parseRecord(key.slice(recordPrefix.length), present.get(key) ?? ""));
  const living = tokens.filter((token) => now < token.expires && keys.has(token.key));
  for (const token of living) await records.add(token);

  const puts = new Map<string, string>();
  for (const token of revokedOf(tokens, living, settings.revoked)) {
    const key = revokedKey(token.id);
    const entries = readText(puts.get(key) ?? present.get(key));
    if (entries === undefined) throw new CodedError("tokens-unreadable", `the key value ${key} is damaged`);
    puts.set(key, addEntry(entries, revocationEntry(token, hmac), now));
  }
  if (settings.records !== "table" || settings.revoked !== "") {
    puts.set("tokens", JSON.stringify({ ...settings, revoked: "", records: "table" }));
  }
  return { puts, deletes: earlier };
}

/** An id that the edge refuses and of which there is no record keeps its place for as long as any token may last. */
function revokedOf(
  tokens: readonly TokenRecord[],
  living: readonly TokenRecord[],
  listed: string,
): readonly Pick<TokenRecord, "id" | "expires">[] {
  const known = new Set(tokens.map(({ id }) => id));
  const unknown = listed.split(" ").filter((id) => id !== "" && !known.has(id));
  return [
    ...living.filter(({ id, revoked }) => revoked !== undefined || ` ${listed} `.includes(` ${id} `)),
    ...unknown.map((id) => ({ id, expires: forever })),
  ];
}

/** The last second of the last day that an entry can name. */
const forever = 64 ** 3 * 86_400 - 1;

/** One field a line. */
function parseRecord(id: string, text: string): TokenRecord {
  const [role, created, expires, key = "", revoked, subject = "", modules = ""] = text.split("\n");
  const record = { id, subject, role: role as Role, modules, created: Number(created), expires: Number(expires), key };
  return revoked === "" ? record : { ...record, revoked: Number(revoked) };
}
