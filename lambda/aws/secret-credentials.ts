import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { CredentialReads, SetCredential } from "../upstream/credentials/credential-store.ts";
import { awsErrorName, orStoreFailed } from "./aws-failure.ts";
import { type CredentialRow, readCredentialRows } from "./credential-rows.ts";

export interface SecretCredentialsOptions {
  readonly client: Pick<DynamoDBClient, "send">;
  readonly secrets: Pick<SecretsManagerClient, "send">;
  readonly table: string;
  /** Milliseconds on a clock that does not go back. */
  readonly elapsed: () => number;
}

/** Milliseconds after which the rows are read again. */
const staleAfter = 5_000;

/**
 * The credentials of a deployment as whoever fetches with them sees them: the rows every few seconds, and each secret once, because
 * a name stands for one secret for ever.
 */
export class SecretCredentials implements CredentialReads {
  readonly #options: SecretCredentialsOptions;
  #all: readonly SetCredential[] = [];
  #names = "";
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #secrets: ReadonlyMap<string, string> = new Map();

  constructor(options: SecretCredentialsOptions) {
    this.#options = options;
  }

  async readAll(): Promise<readonly SetCredential[]> {
    if (this.#options.elapsed() - this.#readAt >= staleAfter) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.#all;
  }

  hasOwn(tenant: string): boolean {
    return this.#all.some((each) => each.tenant === tenant);
  }

  async #read(): Promise<void> {
    const { client, table, elapsed } = this.#options;
    const began = elapsed();
    const rows = await orStoreFailed("reading the credentials", () => readCredentialRows(client, table));
    const living = rows.filter(({ removed }) => !removed);
    const names = living.map(({ secretName }) => secretName).join("\n");
    if (names !== this.#names) {
      const read = await Promise.all(living.map((row) => this.#withSecret(row)));
      this.#all = read.flatMap((each) => each ?? []);
      this.#secrets = new Map(living.map(({ secretName }, i) => [secretName, read[i]?.secret ?? ""]));
      this.#names = names;
    }
    this.#readAt = began;
  }

  /** Undefined for one that was replaced or removed since its row was read: the next look has what is there then. */
  async #withSecret({ secretName, removed: _, ...row }: CredentialRow): Promise<SetCredential | undefined> {
    const known = this.#secrets.get(secretName);
    if (known) return { ...row, secret: known };
    const get = new GetSecretValueCommand({ SecretId: secretName });
    return await orStoreFailed("reading a credential", async () => {
      try {
        const { SecretString = "" } = await this.#options.secrets.send(get);
        return { ...row, secret: SecretString };
      } catch (error) {
        if (awsErrorName(error) === "ResourceNotFoundException") return undefined;
        throw error;
      }
    });
  }
}
