import { createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { type Authorization, basicAuthorization, type Credentials } from "./credentials.ts";
import {
  type ApiAnswer,
  type ApiRequest,
  apiFailure,
  InstallationTokens,
  type SendApiRequest,
} from "./installation-tokens.ts";
import type { Secret } from "./secret.ts";

export interface GithubAppOptions {
  /** The App's id or client id. */
  readonly id: string;
  readonly privateKey: Pick<Secret, "text" | "renew">;
  /** Where GitHub's API is, without a slash at its end: `"https://api.github.com"`. */
  readonly api: string;
  readonly send: SendApiRequest;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The user with which GitHub takes a token of an installation as a password. */
const tokenUser = "x-access-token";

/** Where the API is of a host with GitHub on it. */
export function githubApi(host: string): string {
  if (host === "github.com") return "https://api.github.com";
  if (host.endsWith(".ghe.com")) return `https://api.${host}`;
  return `https://${host}/api/v3`;
}

/**
 * A GitHub App: for the repositories of each owner (the first element of a URL's path) a token of its installation there,
 * which may read contents, lasts an hour and is renewed before.
 */
export class GithubApp implements Credentials {
  readonly #options: GithubAppOptions;
  readonly #tokens: InstallationTokens;
  /** Milliseconds by which GitHub's clock is ahead of ours, as far as it refused a time of ours. */
  #skew = 0;

  constructor(options: GithubAppOptions) {
    this.#options = options;
    this.#tokens = new InstallationTokens({
      name: `GitHub App ${options.id}`,
      api: options.api,
      now: () => options.now() + this.#skew,
      send: (request) => this.#sendSigned(request),
    });
  }

  async authorize(url: URL, signal?: AbortSignal): Promise<Authorization | undefined> {
    const [, owner = ""] = url.pathname.split("/");
    // An owner's name on GitHub; nothing else becomes a part of the API's paths.
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(owner)) return undefined;
    const { token } = await this.#tokens.of(owner.toLowerCase(), signal);
    return basicAuthorization(tokenUser, token, async () => this.#tokens.forget(owner.toLowerCase(), token));
  }

  /** Signs with our clock, and once more with GitHub's, where that is what was refused; or with a key that was replaced. */
  async #sendSigned(request: ApiRequest): Promise<ApiAnswer> {
    const answer = await this.#send(request);
    if (answer.status !== 401) return answer;
    const skew = this.#skewOf(answer);
    const mended = Math.abs(skew - this.#skew) > tolerated || (await this.#options.privateKey.renew());
    this.#skew = skew;
    return mended ? this.#send(request) : answer;
  }

  async #send(request: ApiRequest): Promise<ApiAnswer> {
    const jwt = await this.#sign();
    return this.#options.send({ ...request, headers: { ...request.headers, authorization: `Bearer ${jwt}` } });
  }

  #skewOf({ headers }: ApiAnswer): number {
    const theirs = Date.parse(headers.date ?? "");
    return Number.isNaN(theirs) ? this.#skew : theirs - this.#options.now();
  }

  /** GitHub takes no longer than ten minutes, and asks for a beginning in the past. */
  async #sign(): Promise<string> {
    const seconds = Math.floor((this.#options.now() + this.#skew) / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuedAt(seconds - 60)
      .setExpirationTime(seconds + 540)
      .setIssuer(this.#options.id)
      .sign(await this.#key());
  }

  async #key(): Promise<KeyObject> {
    const text = await this.#options.privateKey.text().catch(() => {
      throw this.#unusable("its private key cannot be read");
    });
    try {
      // GitHub hands out PKCS#1, which jose does not read by itself.
      const key = createPrivateKey(text);
      if (key.asymmetricKeyType === "rsa") return key;
    } catch {
      // Whatever it says of the key is nobody's to read.
    }
    throw this.#unusable("its private key is no RSA key in PEM");
  }

  #unusable(why: string): UpstreamFailure {
    return apiFailure("no-credentials", `GitHub App ${this.#options.id}`, why);
  }
}

/** Milliseconds by which clocks may differ without that being why a signature was refused. */
const tolerated = 20_000;
