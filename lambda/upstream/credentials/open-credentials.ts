import { ConfiguredCredentials, type CredentialRule, type OpenGithubApp } from "./configured-credentials.ts";
import type { CredentialReads } from "./credential-store.ts";
import type { Credentials } from "./credentials.ts";
import { GithubApp, githubApi } from "./github-app.ts";
import type { SendApiRequest } from "./installation-tokens.ts";
import { type ReadSecret, Secret } from "./secret.ts";
import { SetCredentials } from "./set-credentials.ts";

export interface CredentialsSource {
  /** Of the configuration, each with its secret. */
  readonly rules: readonly CredentialRule[];
  readonly secrets: readonly Secret[];
  /** Those that were set since, which count as the configuration's do; a tenant's own go before all for its modules. */
  readonly set?: CredentialReads | undefined;
  /** Asked where no rule matches: a netrc file. */
  readonly behind?: Credentials;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes the credentials for the modules of a tenant, or of nobody, when there is something that sends requests. */
export type OpenCredentials = (send: SendApiRequest, tenant?: string) => Credentials;

/** The secrets of the rules, none read yet. `now` is milliseconds on a clock that does not go back. */
export function openSecrets(rules: readonly CredentialRule[], read: ReadSecret, now: () => number): readonly Secret[] {
  return rules.map(({ secret }, i) => new Secret(`credentials.${i}.secret`, secret, read, now));
}

/** The credentials of the configuration, and what stands behind them. */
export function openCredentials({ rules, secrets, set, behind, now }: CredentialsSource): OpenCredentials {
  return (send, tenant = "") => {
    const openGithubApp: OpenGithubApp = ({ user = "", api }, { host }, privateKey) => {
      const address = api?.replace(/\/+$/, "") ?? githubApi(host);
      return new GithubApp({ id: user, privateKey, api: address, send, now });
    };
    const configured = new ConfiguredCredentials(rules, secrets, openGithubApp);
    const changing = set && new SetCredentials(set, openGithubApp);
    const findSet = async (url: URL) => {
      const own = tenant === "" ? undefined : await changing?.find(tenant, url);
      if (own !== undefined) return own;
      const found = await changing?.find("", url);
      const length = configured.find(url)?.scope.elements.length ?? 0;
      return found !== undefined && found.scope.elements.length >= length ? found : undefined;
    };
    return {
      authorize: async (url, signal) => {
        const found = await findSet(url);
        if (found !== undefined) return await found.credentials.authorize(url, signal);
        return (await configured.authorize(url, signal)) ?? behind?.authorize(url, signal);
      },
    };
  };
}
