import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { CodedError } from "../../golang/coded-error.ts";
import { ServedError } from "../../proxy/store/served-error.ts";

/** Reads a document of a provider, of at most so many bytes, without following a redirect. */
export type ReadDocument = (url: URL, limit: number) => Promise<string>;

export interface IssuerKeysParts {
  /** As its tokens have it. */
  readonly issuer: string;
  readonly read: ReadDocument;
  /** Milliseconds. */
  readonly now: () => number;
}

type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** Bytes of a document: the largest providers' have some kilobytes. */
const longestDocument = 262_144;
const mostKeys = 100;
/** Milliseconds: how long keys are used, and how soon they are read again: for a key that is unknown, and after a failure. */
const freshFor = 600_000;
const unknownKeyPause = 30_000;
const failurePause = 5_000;
/** Those who wait for one reading: more wait on something that does not answer. */
const mostWaiting = 32;

/**
 * The public keys of a provider, found by its discovery document.
 *
 * Who asks cannot have them read often: all who ask meanwhile wait for the one reading, a key that is not among them is
 * looked for anew once in half a minute, and after a failure nobody asks for five seconds. Only so many wait: whose key is
 * known does not.
 */
export class IssuerKeys {
  readonly #parts: IssuerKeysParts;
  #keys: { readonly find: KeyFinder; readonly readAt: number } | undefined;
  #reading: Promise<KeyFinder> | undefined;
  #waiting = 0;
  #failed: { readonly error: unknown; readonly at: number } | undefined;

  constructor(parts: IssuerKeysParts) {
    this.#parts = parts;
  }

  /**
   * Finds the key that a token names. Throws errors of jose, `ServedError` "upstream-failed" where none can be read, and
   * `CodedError` "too-many" where as many wait for a reading as may.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const find = await this.#fresh(freshFor);
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const again = await this.#fresh(unknownKeyPause);
      if (again === find) throw error;
      return await again(header, token);
    }
  };

  /** The keys, read again where that was longer ago. */
  async #fresh(age: number): Promise<KeyFinder> {
    const now = this.#parts.now();
    if (this.#keys !== undefined && now - this.#keys.readAt < age) return this.#keys.find;
    if (this.#failed !== undefined && now - this.#failed.at < failurePause) throw this.#failed.error;
    if (this.#waiting >= mostWaiting)
      throw new CodedError("too-many", "too many ID tokens of this issuer wait for its keys: try again");
    this.#reading ??= this.#readKeys().finally(() => {
      this.#reading = undefined;
    });
    this.#waiting++;
    try {
      return await this.#reading;
    } finally {
      this.#waiting--;
    }
  }

  async #readKeys(): Promise<KeyFinder> {
    const { issuer, now } = this.#parts;
    try {
      const find = createLocalJWKSet(await this.#readKeySet());
      this.#keys = { find, readAt: now() };
      this.#failed = undefined;
      return find;
    } catch (cause) {
      const error = new ServedError("upstream-failed", `the keys of ${issuer} cannot be read at the moment`, { cause });
      this.#failed = { error, at: now() };
      throw error;
    }
  }

  async #readKeySet(): Promise<JSONWebKeySet> {
    const { issuer } = this.#parts;
    const discovery = await this.#readJson(new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`));
    if (discovery.issuer !== issuer) throw new Error("the discovery document is another issuer's");
    const { keys } = await this.#readJson(keysUrl(discovery.jwks_uri, new URL(issuer)));
    if (!Array.isArray(keys) || keys.length > mostKeys) throw new Error("these are no keys, or too many");
    return { keys };
  }

  async #readJson(url: URL): Promise<Readonly<Record<string, unknown>>> {
    const value: unknown = JSON.parse(await this.#parts.read(url, longestDocument));
    if (typeof value !== "object" || value === null) throw new Error("this is no JSON object");
    return value as Readonly<Record<string, unknown>>;
  }
}

/** In the clear only where the issuer is, which is on this machine. */
function keysUrl(text: unknown, issuer: URL): URL {
  const url = new URL(String(text));
  const isSafe = url.protocol === "https:" || (issuer.protocol === "http:" && url.origin === issuer.origin);
  if (!isSafe || url.username !== "" || url.password !== "") throw new Error("the keys are not at an https address");
  return url;
}
