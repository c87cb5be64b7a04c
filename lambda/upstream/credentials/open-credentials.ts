import { ConfiguredCredentials, type CredentialRule } from "./configured-credentials.ts";
import type { Credentials } from "./credentials.ts";
import { GithubApp, githubApi } from "./github-app.ts";
import type { SendApiRequest } from "./installation-tokens.ts";
import { type ReadSecret, Secret } from "./secret.ts";

export interface CredentialsSource {
  /** Of the configuration, each with its secret. */
  readonly rules: readonly CredentialRule[];
  readonly secrets: readonly Secret[];
  /** Asked where no rule matches: a netrc file. */
  readonly behind?: Credentials;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes the credentials, when there is something that sends requests. */
export type OpenCredentials = (send: SendApiRequest) => Credentials;

/** The secrets of the rules, none read yet. `now` is milliseconds on a clock that does not go back. */
export function openSecrets(rules: readonly CredentialRule[], read: ReadSecret, now: () => number): readonly Secret[] {
  return rules.map(({ secret }, i) => new Secret(`credentials.${i}.secret`, secret, read, now));
}

/** The credentials of the configuration, and what stands behind them. */
export function openCredentials({ rules, secrets, behind, now }: CredentialsSource): OpenCredentials {
  return (send) => {
    const configured = new ConfiguredCredentials(rules, secrets, ({ user = "", api }, { host }, privateKey) => {
      const address = api?.replace(/\/+$/, "") ?? githubApi(host);
      return new GithubApp({ id: user, privateKey, api: address, send, now });
    });
    return {
      authorize: async (url, signal) => (await configured.authorize(url, signal)) ?? behind?.authorize(url, signal),
    };
  };
}
