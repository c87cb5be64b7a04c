import { type OpenedRule, type OpenGithubApp, openRule } from "./configured-credentials.ts";
import type { CredentialReads, SetCredential } from "./credential-store.ts";
import { isInScope } from "./url-scope.ts";

/** The credentials that were set, as rules that are made anew when one of them changes. */
export class SetCredentials {
  readonly #store: CredentialReads;
  readonly #openGithubApp: OpenGithubApp;
  #read: readonly SetCredential[] | undefined;
  /** By name and change, so that what is known of one outlives a change of another. */
  #rules: ReadonlyMap<string, OpenedRule & { readonly tenant: string }> = new Map();

  constructor(store: CredentialReads, openGithubApp: OpenGithubApp) {
    this.#store = store;
    this.#openGithubApp = openGithubApp;
  }

  /** The rule of a tenant, or of the organisation (`""`), whose scope has a URL: that with the longest path. */
  async find(tenant: string, url: URL): Promise<OpenedRule | undefined> {
    await this.#update();
    let found: OpenedRule | undefined;
    for (const rule of this.#rules.values()) {
      if (rule.tenant !== tenant || !isInScope(url, rule.scope)) continue;
      if (found === undefined || rule.scope.elements.length > found.scope.elements.length) found = rule;
    }
    return found;
  }

  async #update(): Promise<void> {
    const read = await this.#store.readAll();
    if (read === this.#read) return;
    this.#read = read;
    this.#rules = new Map(
      read.map((credential) => [keyOf(credential), this.#rules.get(keyOf(credential)) ?? this.#open(credential)]),
    );
  }

  #open(credential: SetCredential): OpenedRule & { readonly tenant: string } {
    const { match, tenant, kind, user, secret } = credential;
    const source = {
      text: async () => secret,
      // Whoever was refused asks again, and is given what is there by then.
      renew: async () => !(await this.#store.readAll()).some((each) => keyOf(each) === keyOf(credential)),
    };
    return { ...openRule({ match, kind, user }, "", source, this.#openGithubApp), tenant };
  }
}

function keyOf({ tenant, match, changed, request }: SetCredential): string {
  return JSON.stringify([tenant, match, changed, request]);
}
