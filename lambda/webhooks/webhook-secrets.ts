import { CodedError } from "../golang/coded-error.ts";
import { type ReadSecret, Secret } from "../upstream/credentials/secret.ts";
import type { Webhooks } from "./config.ts";
import { signingSecretPrefix } from "./proofs.ts";

/** The secrets of webhooks, by their names. */
export class WebhookSecrets {
  readonly #secrets: ReadonlyMap<string, Secret>;

  /** `elapsed` is milliseconds on a clock that does not go back. */
  constructor(webhooks: Webhooks, read: ReadSecret, elapsed: () => number) {
    this.#secrets = new Map(
      Object.entries(webhooks).map(([name, { secret }]) => {
        const checked: ReadSecret = async (reference) => checkedSecret(await read(reference), name);
        return [name, new Secret(whereOf(name), secret, checked, elapsed)];
      }),
    );
  }

  /** Throws `CodedError` "config" for one that is empty, no key behind the prefix of one, or cannot be read. */
  of(name: string): Promise<string> {
    return this.#of(name).text();
  }

  /** Reads it again, unless that was done a moment ago: true where it is another one. */
  renew(name: string): Promise<boolean> {
    return this.#of(name).renew();
  }

  /** Reads all of them: one that is missing must be noticed before a delivery is. */
  async check(): Promise<void> {
    for (const secret of this.#secrets.values()) await secret.text();
  }

  #of(name: string): Secret {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw new CodedError("config", `there is no webhook ${name}`);
    return secret;
  }
}

/** Behind the prefix is the base64 of a key, and an empty one would prove nothing. */
function checkedSecret(text: string, name: string): string {
  const secret = text.trim();
  if (!secret.startsWith(signingSecretPrefix)) return secret;
  if (/^[A-Za-z0-9+/]{32,}={0,2}$/.test(secret.slice(signingSecretPrefix.length))) return secret;
  throw new CodedError("config", `configuration key ${whereOf(name)}: expected base64 behind ${signingSecretPrefix}`);
}

function whereOf(name: string): string {
  return `webhooks.${name}.secret`;
}
