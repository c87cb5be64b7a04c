/** Proof of who asks, for requests to one origin: it is dropped where a redirect leads to another. */
export interface Authorization {
  /** The value of the `Authorization` header. */
  readonly header: string;
  /** Texts that nobody may see; an answer that has one of them is not quoted. */
  readonly secrets: readonly string[];

  /**
   * The host did not take it (401): looks whether there is another by now, because a secret was rotated or a token
   * revoked. True when asking `Credentials` again gives a new one; to be tried once.
   */
  renew(signal?: AbortSignal): Promise<boolean>;
}

/** What modfront shows to git hosts and upstream proxies, by the URL of a request. */
export interface Credentials {
  /**
   * The credentials for `url`, or `undefined` where none are known, and never for plain http to a host that was learnt from
   * input.
   *
   * Throws `UpstreamFailure` when there should be some and they cannot be had, and the signal's reason when it is aborted.
   */
  authorize(url: URL, signal?: AbortSignal): Promise<Authorization | undefined>;
}

export const noCredentials: Credentials = { authorize: async () => undefined };

/** The same for https, and for plain http where `mayBePlain` trusts the host to be the one that it says. */
export function overTls(credentials: Credentials, mayBePlain: (url: URL) => boolean): Credentials {
  return {
    authorize: async (url, signal) =>
      url.protocol === "https:" || mayBePlain(url) ? credentials.authorize(url, signal) : undefined,
  };
}

const cannotRenew = async () => false;

/** Basic credentials (RFC 7617) of a user, who may be empty. */
export function basicAuthorization(
  user: string,
  password: string,
  renew: Authorization["renew"] = cannotRenew,
): Authorization {
  const token = Buffer.from(`${user}:${password}`).toString("base64");
  // A token may be written as the user, without a password.
  const secrets = [token, ...spellings(password === "" ? user : password)];
  return { header: `Basic ${token}`, secrets, renew };
}

/** A bearer token (RFC 6750). */
export function bearerAuthorization(token: string, renew: Authorization["renew"] = cannotRenew): Authorization {
  return { header: `Bearer ${token}`, secrets: spellings(token), renew };
}

/** A secret as it is, and as it is within a URL. */
function spellings(secret: string): string[] {
  return secret === "" ? [] : [...new Set([secret, encodeURIComponent(secret)])];
}

/** True when a text has something that only the host and modfront may know. */
export function hasSecret(text: string, { secrets }: Pick<Authorization, "secrets">): boolean {
  return secrets.some((secret) => text.includes(secret));
}
