import { UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { PutSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { hmac } from "../access/hmac.ts";
import { addEntry, revocationEntry } from "../access/revocations.ts";
import {
  type Note,
  noTokenKeys,
  type TokenKeys,
  type TokenPage,
  type TokenRecord,
  type TokenStore,
} from "../access/token-store.ts";
import { keyId } from "../access/tokens.ts";
import { readText, readTokens, type TokenSettings } from "../edge/access-settings.ts";
import { revokedKey } from "../edge/revocations.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { DynamoTokenRecords } from "./dynamo-token-records.ts";
import { type EdgeSecret, staleAfter } from "./identity-keys.ts";
import { type KeyValueClient, readKeyValue, withVersion } from "./key-value-store.ts";

export interface DeployedTokens {
  readonly keyValues: KeyValueClient;
  readonly storeArn: string;
  readonly records: DynamoTokenRecords;
  readonly secrets: Pick<SecretsManagerClient, "send">;
  /** The name of the secret with the identity keys, which is all that the functions behind the edge may read. */
  readonly edgeSecret: string;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/**
 * The tokens of a deployment: what the edge acts by in CloudFront's KeyValueStore, the records in the table.
 *
 * A record is written before its token is told, and what revokes it before the record says so: a crash between the two
 * leaves a record of a token that nobody has, or a token that is refused and listed as valid until it is revoked again.
 * Signing keys are in the edge's store and nowhere else, since the edge must have them; a new, empty store ends all
 * tokens. The identity keys are in a secret too, for the functions that verify: it is written first, so that they know
 * a key before the edge signs with it.
 */
export class DeployedTokenStore implements TokenStore {
  readonly #parts: DeployedTokens;

  constructor(parts: DeployedTokens) {
    this.#parts = parts;
  }

  async readKeys(): Promise<TokenKeys> {
    return await orUnavailable(() => this.#readKeys());
  }

  async updateKeys<Result>(change: (keys: TokenKeys) => readonly [TokenKeys, Result], note?: Note): Promise<Result> {
    await note?.();
    return await orUnavailable(() =>
      this.#withVersion(async (version) => {
        const present = await this.#readKeys();
        const [next, result] = change(present);
        await this.#announce(present.identityKeys, next.identityKeys);
        await this.#put(version, "tokens", formatKeys(next));
        await this.#forget(present.identityKeys, next.identityKeys);
        return result;
      }),
    );
  }

  async find(id: string): Promise<TokenRecord | undefined> {
    return await orUnavailable(() => this.#parts.records.find(id));
  }

  async list(limit: number, after?: string): Promise<TokenPage> {
    return await orUnavailable(() => this.#parts.records.list(limit, after));
  }

  async add(record: TokenRecord, note?: Note): Promise<void> {
    await note?.();
    const isNew = await orUnavailable(() => this.#parts.records.add(record));
    if (!isNew) throw new CodedError("token-exists", "the id of the token is taken: try again");
  }

  async revoke(record: TokenRecord, at: number, note?: Note): Promise<void> {
    await note?.();
    const key = revokedKey(record.id);
    await orUnavailable(async () => {
      await this.#withVersion(async (version) => {
        const { keyValues, storeArn } = this.#parts;
        const entries = readText(await readKeyValue(keyValues, storeArn, key));
        if (entries === undefined) throw ofEarlierVersion();
        await this.#put(version, key, addEntry(entries, revocationEntry(record, hmac), at));
      });
      await this.#parts.records.noteRevoked(record.id, at);
    });
  }

  async #readKeys(): Promise<TokenKeys> {
    const { keyValues, storeArn } = this.#parts;
    const text = await readKeyValue(keyValues, storeArn, "tokens");
    if (text === undefined) return noTokenKeys;
    const settings = readTokens(text);
    if (settings === undefined) throw new CodedError("tokens-unreadable", "the key value tokens is damaged");
    if (settings.records !== "table") throw ofEarlierVersion();
    const keys = settings.keys.map((secret) => ({ id: keyId(secret), secret }));
    return { keys, identityKeys: [settings.identityKey] };
  }

  #withVersion<Result>(change: (version: string | undefined) => Promise<Result>): Promise<Result> {
    return withVersion(this.#parts.keyValues, this.#parts.storeArn, change);
  }

  async #put(IfMatch: string | undefined, Key: string, Value: string): Promise<void> {
    const { keyValues, storeArn: KvsARN } = this.#parts;
    await keyValues.send(new UpdateKeysCommand({ KvsARN, IfMatch, Puts: [{ Key, Value }] }));
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

function formatKeys({ keys, identityKeys }: TokenKeys): string {
  const settings: TokenSettings = {
    keys: keys.map(({ secret }) => secret),
    identityKey: identityKeys[0] ?? "",
    revoked: "",
    records: "table",
  };
  return JSON.stringify(settings);
}

function ofEarlierVersion(): CodedError {
  return new CodedError(
    "tokens-unreadable",
    "this deployment is of an earlier version of modfront: run cdk deploy first",
  );
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
