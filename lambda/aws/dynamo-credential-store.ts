import { randomBytes } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  type CredentialChange,
  type CredentialName,
  type CredentialNote,
  type CredentialStore,
  checkRoom,
  noSuchCredential,
  type SetCredential,
  type ShownCredential,
} from "../upstream/credentials/credential-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { type CredentialRow, fromCredentialRow, readCredentialRows, toCredentialRow } from "./credential-rows.ts";
import { attributes, credentialKey, keyAttributes } from "./table.ts";

export interface DynamoCredentialStoreOptions {
  readonly client: Pick<DynamoDBClient, "send">;
  readonly secrets: Pick<SecretsManagerClient, "send">;
  readonly table: string;
  /** How the names of secrets begin: `"modfront/credentials/"`. */
  readonly folder: string;
}

/**
 * The credentials of a deployment as whoever changes them sees them: rows of one partition of the index's table, each with the name
 * of a secret that was made for it, and that it never reads.
 *
 * The row is the change: a secret that was made before a crash is named by none, and costs until somebody removes it by hand.
 * Of writers at the same moment each sees the room that there was, so that there may be some more than there should.
 */
export class DynamoCredentialStore implements CredentialStore {
  readonly #options: DynamoCredentialStoreOptions;

  constructor(options: DynamoCredentialStoreOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly ShownCredential[]> {
    return (await this.#rows()).filter(({ removed }) => !removed).map(shownRow);
  }

  async last(name: CredentialName): Promise<CredentialChange | undefined> {
    const { client, table } = this.#options;
    const read = { TableName: table, Key: keyAttributes(credentialKey(name)), ConsistentRead: true };
    return await orStoreFailed("reading a credential", async () => {
      const { Item } = await client.send(new GetItemCommand(read));
      if (Item === undefined) return undefined;
      const { changed, request, removed } = toCredentialRow(Item);
      return { changed, request, removed };
    });
  }

  async set({ secret, ...credential }: SetCredential, note?: CredentialNote): Promise<void> {
    const { secrets, folder } = this.#options;
    checkRoom(await this.list(), credential);
    await note?.();
    const secretName = `${folder}${randomBytes(12).toString("hex")}`;
    const create = new CreateSecretCommand({
      Name: secretName,
      Description: "What modfront shows to a git host or an upstream",
      SecretString: secret,
    });
    await orStoreFailed("keeping a secret", () => secrets.send(create));
    await this.#put({ ...credential, secretName, removed: false });
  }

  async remove(change: Parameters<CredentialStore["remove"]>[0], note?: CredentialNote): Promise<void> {
    if ((await this.last(change))?.removed !== false) throw noSuchCredential();
    await note?.();
    await this.#put({ ...change, kind: "basic", secretName: "", removed: true });
  }

  #rows(): Promise<readonly CredentialRow[]> {
    const { client, table } = this.#options;
    return orStoreFailed("reading the credentials", () => readCredentialRows(client, table));
  }

  /** Puts a row in place of another, whose secret nobody needs any more. */
  async #put(row: CredentialRow): Promise<void> {
    const { client, table } = this.#options;
    const condition = {
      ConditionExpression: "attribute_exists(#p) AND attribute_not_exists(#r)",
      ExpressionAttributeNames: { "#p": attributes.key.partition, "#r": attributes.credential.removed },
    };
    const put = new PutItemCommand({
      TableName: table,
      Item: fromCredentialRow(row),
      ReturnValues: "ALL_OLD",
      ...(row.removed && condition),
    });
    await orStoreFailed("keeping a credential", async () => {
      try {
        const { Attributes } = await client.send(put);
        if (Attributes !== undefined) await this.#forget(toCredentialRow(Attributes).secretName);
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) throw noSuchCredential();
        throw error;
      }
    });
  }

  /** What fails of it leaves a secret that no row names. */
  async #forget(secretName: string): Promise<void> {
    if (!secretName.startsWith(this.#options.folder)) return;
    const remove = new DeleteSecretCommand({ SecretId: secretName, ForceDeleteWithoutRecovery: true });
    await this.#options.secrets.send(remove).catch(() => {});
  }
}

function shownRow({ secretName: _, removed: __, ...row }: CredentialRow): ShownCredential {
  return row;
}

/** The credentials of a deployment, whose table and secrets are in its primary region. */
export function openCredentialStore(table: string, folder: string, region: string): DynamoCredentialStore {
  const [client, secrets] = [new DynamoDBClient({ region }), new SecretsManagerClient({ region })];
  return new DynamoCredentialStore({ client, secrets, table, folder });
}
