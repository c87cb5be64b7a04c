import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { orStoreFailed } from "./aws-failure.ts";

/** The secret's JSON: the keys that sign the edge's identity header, two while they rotate. */
export interface EdgeSecret {
  readonly identityKey: string;
  readonly previousIdentityKey?: string;
}

/** Milliseconds after which the secret is read again when a signature does not fit: it may have been rotated. */
export const staleAfter = 10_000;

/** The text of a secret. One call. */
export async function readSecret(client: SecretsManagerClient, name: string): Promise<string> {
  const secret = await orStoreFailed("reading a secret", () =>
    client.send(new GetSecretValueCommand({ SecretId: name })),
  );
  return secret.SecretString ?? "";
}

/** The keys out of the secret's text, the newest first. */
export function parseIdentityKeys(text: string): readonly string[] {
  const secret = JSON.parse(text) as EdgeSecret;
  return [secret.identityKey, ...(secret.previousIdentityKey === undefined ? [] : [secret.previousIdentityKey])];
}

/** The keys that verify identity headers, read once and again only when they may have changed. */
export class IdentityKeys {
  readonly #read: () => Promise<string>;
  readonly #now: () => number;
  #known: { readonly keys: readonly string[]; readonly at: number } | undefined;

  constructor(read: () => Promise<string>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /** `accept` with the known keys; once more with newly read ones when it throws and the known ones are not new. */
  async use<Result>(accept: (keys: readonly string[]) => Result): Promise<Result> {
    const known = this.#known ?? (await this.#refresh());
    try {
      return accept(known.keys);
    } catch (error) {
      if (this.#now() < known.at + staleAfter) throw error;
      return accept((await this.#refresh()).keys);
    }
  }

  async #refresh() {
    this.#known = { keys: parseIdentityKeys(await this.#read()), at: this.#now() };
    return this.#known;
  }
}
