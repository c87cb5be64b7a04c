import { ListKeysCommand, UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { PutSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { packTokens } from "../access/packed-settings.ts";
import { emptyTokenState, type TokenState, type TokenStatePlace } from "../access/token-state.ts";
import type { Note, TokenRecord } from "../access/token-store.ts";
import { keyId } from "../access/tokens.ts";
import { readTokens } from "../edge/access-settings.ts";
import type { Role } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import { type EdgeSecret, staleAfter } from "./identity-keys.ts";
import { type KeyValueClient, readKeyValue, withVersion } from "./key-value-store.ts";

export interface DeployedTokens {
  readonly keyValues: KeyValueClient;
  readonly storeArn: string;
  readonly secrets: Pick<SecretsManagerClient, "send">;
  /** The name of the secret with the identity keys, which is all that the functions behind the edge may read. */
  readonly edgeSecret: string;
  /** Unix seconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

const recordPrefix = "token/";

/** Most removals in one write, which takes 50 changes. What is left over has ended and is removed by a later write. */
const mostRemovals = 40;

/**
 * The state of tokens in CloudFront's KeyValueStore: what the edge reads and the records of tokens change in one write.
 *
 * So no token is made that the edge does not know, and no revocation waits for anything else. Signing keys are there
 * and nowhere else, since the edge must have them; a new, empty store ends all tokens. The identity keys are in a
 * secret too, for the functions that verify: it is written first, so that they know a key before the edge signs with it.
 */
export class KeyValueTokenStore implements TokenStatePlace {
  readonly #parts: DeployedTokens;

  constructor(parts: DeployedTokens) {
    this.#parts = parts;
  }

  async read(): Promise<TokenState> {
    return await orUnavailable(() => this.#read());
  }

  async update<Result>(change: (state: TokenState) => readonly [TokenState, Result], note?: Note): Promise<Result> {
    const { keyValues, storeArn } = this.#parts;
    return await orUnavailable(() =>
      withVersion(keyValues, storeArn, async (version) => {
        const state = await this.#read();
        const [next, result] = change(state);
        await note?.();
        await this.#announce(state.identityKeys, next.identityKeys);
        await this.#write(version, state, next);
        await this.#forget(state.identityKeys, next.identityKeys);
        return result;
      }),
    );
  }

  async #read(): Promise<TokenState> {
    const { keyValues, storeArn } = this.#parts;
    const text = await readKeyValue(keyValues, storeArn, "tokens");
    if (text === undefined) return emptyTokenState;
    const settings = readTokens(text);
    if (settings === undefined) throw new CodedError("tokens-unreadable", "the key value tokens is damaged");
    const keys = settings.keys.map((secret) => ({ id: keyId(secret), secret }));
    return { keys, identityKeys: [settings.identityKey], tokens: await this.#readRecords() };
  }

  async #readRecords(): Promise<readonly TokenRecord[]> {
    const { keyValues, storeArn } = this.#parts;
    const records: TokenRecord[] = [];
    let NextToken: string | undefined;
    do {
      const page = await keyValues.send(new ListKeysCommand({ KvsARN: storeArn, MaxResults: 50, NextToken }));
      for (const { Key = "", Value = "" } of page.Items ?? []) {
        if (Key.startsWith(recordPrefix)) records.push(parseRecord(Key.slice(recordPrefix.length), Value));
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return records.sort((a, b) => a.created - b.created);
  }

  async #write(IfMatch: string | undefined, state: TokenState, next: TokenState): Promise<void> {
    const before = new Map(state.tokens.map((record) => [record.id, formatRecord(record)]));
    const after = new Map(next.tokens.map((record) => [record.id, formatRecord(record)]));
    const changed = [...after].filter(([id, text]) => before.get(id) !== text);
    const removed = [...before.keys()].filter((id) => !after.has(id)).slice(0, mostRemovals);
    await this.#parts.keyValues.send(
      new UpdateKeysCommand({
        KvsARN: this.#parts.storeArn,
        IfMatch,
        Puts: [
          { Key: "tokens", Value: packTokens(next, this.#parts.now()) },
          ...changed.map(([id, Value]) => ({ Key: recordPrefix + id, Value })),
        ],
        Deletes: removed.map((id) => ({ Key: recordPrefix + id })),
      }),
    );
  }

  /**
   * Tells the functions of a new identity key. Those that have just read the secret do not look again so soon: where
   * the key before goes on they are given that time; where it must end at once, they may refuse requests for as long.
   */
  async #announce([present]: readonly string[], [identityKey = "", kept]: readonly string[]): Promise<void> {
    if (identityKey === present) return;
    await this.#writeSecret(identityKey, present);
    if (kept !== undefined) await this.#parts.sleep(staleAfter + 1000);
  }

  /** The key before was in the secret until the edge had the new one, whatever might have become of that write. */
  async #forget([present]: readonly string[], [identityKey = "", kept]: readonly string[]): Promise<void> {
    if (identityKey !== present && kept === undefined) await this.#writeSecret(identityKey);
  }

  async #writeSecret(identityKey: string, previousIdentityKey?: string): Promise<void> {
    const secret: EdgeSecret = { identityKey, ...(previousIdentityKey !== undefined && { previousIdentityKey }) };
    const SecretString = JSON.stringify(secret);
    await this.#parts.secrets.send(new PutSecretValueCommand({ SecretId: this.#parts.edgeSecret, SecretString }));
  }
}

/** One field a line: none can hold a line break, and without escapes the longest record stays below 1 KB. */
function formatRecord({ role, created, expires, key, revoked, subject, modules }: TokenRecord): string {
  return [role, created, expires, key, revoked ?? "", subject, modules].join("\n");
}

function parseRecord(id: string, text: string): TokenRecord {
  const [role, created, expires, key = "", revoked, subject = "", modules = ""] = text.split("\n");
  const record = { id, subject, role: role as Role, modules, created: Number(created), expires: Number(expires), key };
  return revoked === "" ? record : { ...record, revoked: Number(revoked) };
}

/** No text of AWS reaches a person. */
async function orUnavailable<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const message = "the deployment's tokens cannot be reached: are these AWS credentials allowed to?";
    throw new CodedError("tokens-unavailable", message, { cause: error });
  }
}
