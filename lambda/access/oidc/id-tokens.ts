import { hash } from "node:crypto";
import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { CodedError } from "../../golang/coded-error.ts";
import type { ClaimRule } from "./grants.ts";
import { IssuerKeys, type ReadDocument } from "./issuer-keys.ts";

/** `oidc[]` of the configuration. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId?: string | undefined;
  readonly subject?: string | undefined;
  readonly rules: readonly ClaimRule[];
}

/** A token that is good, and what it says. */
export interface VerifiedToken {
  /** The number of its entry among the issuers. */
  readonly entry: number;
  readonly claims: JWTPayload;
  /** What stands for this token and no other of its issuer: its `jti`, else a hash of what is signed. */
  readonly id: string;
  /** Unix seconds from which on it is refused, the skew of clocks included. */
  readonly until: number;
}

export interface IdTokensParts {
  readonly issuers: readonly Issuer[];
  readonly read: ReadDocument;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Characters: an ID token with 200 groups has 10,000. */
export const longestToken = 30_000;

/** Seconds by which the clocks of an issuer and of this machine may differ. */
const skew = 60;

/** Unix seconds: the end of the year 9999, after which neither dates nor the places that keep them go on. */
const lastSecond = 253_402_300_799;

/** Asymmetric ones only: a shared secret there is none, and a public key must not be taken for one. */
const algorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** Verifies the ID tokens of the issuers that the configuration names, and no others. */
export class IdTokens {
  readonly #parts: IdTokensParts;
  readonly #keys = new Map<string, IssuerKeys>();

  constructor(parts: IdTokensParts) {
    this.#parts = parts;
    for (const { issuer } of parts.issuers)
      this.#keys.set(issuer, new IssuerKeys({ issuer, read: parts.read, now: parts.now }));
  }

  /** The issuer that a token names, by what nobody has verified yet. */
  #issuerOf(token: string): string {
    if (token.length > longestToken) throw refused(`an ID token has at most ${longestToken} characters`);
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token))
      throw refused("this is no ID token: three parts of base64url are expected");
    let issuer: unknown;
    try {
      issuer = decodeJwt(token).iss;
    } catch (cause) {
      throw refused("this is no ID token: its claims cannot be read", cause);
    }
    if (typeof issuer === "string" && this.#keys.has(issuer)) return issuer;
    throw new CodedError("issuer-unknown", "no issuer of the configuration is the iss of this ID token");
  }

  /**
   * Returns what a token says when its issuer signed it, for this proxy, and now is its time.
   *
   * Throws `CodedError` "id-token-refused", with the name of the claim that is wrong and never its value, "issuer-unknown",
   * and as `IssuerKeys.find` where the issuer's keys cannot be read, or too many wait for them.
   */
  async verify(token: string): Promise<VerifiedToken> {
    const { issuers, now } = this.#parts;
    const issuer = this.#issuerOf(token);
    const entries = issuers.map((each, entry) => ({ ...each, entry })).filter((each) => each.issuer === issuer);
    const keys = this.#keys.get(issuer) as IssuerKeys;
    try {
      const { payload: claims, protectedHeader } = await jwtVerify(token, keys.find, {
        issuer,
        audience: entries.map(({ audience }) => audience),
        algorithms,
        clockTolerance: skew,
        requiredClaims: ["exp"],
        currentDate: new Date(now()),
      });
      if (isOfAnotherKind(protectedHeader.typ, claims)) throw refused("this is a token of its issuer, but no ID token");
      if ((claims.exp ?? 0) > lastSecond) throw refused("the exp of this ID token is not as it must be");
      const entry = entries.find(({ audience }) => [claims.aud].flat().includes(audience))?.entry ?? 0;
      return { entry, claims, id: idOf(token, claims), until: (claims.exp ?? 0) + skew };
    } catch (error) {
      throw explained(error);
    }
  }
}

/** Issuers sign what is no ID token with the same keys: access tokens, and that somebody has signed out (RFC 8725, 3.11). */
function isOfAnotherKind(type: string | undefined, claims: JWTPayload): boolean {
  return !/^(?:application\/)?(?:jwt|jose)$/i.test(type ?? "JWT") || claims.events !== undefined;
}

/** Not of the signature: of one and the same text there may be several that are good. */
function idOf(token: string, { iss, jti }: JWTPayload): string {
  const own = typeof jti === "string" && jti !== "" ? `jti ${jti}` : `signed ${token.slice(0, token.lastIndexOf("."))}`;
  return hash("sha256", `${iss}\n${own}`, "base64url");
}

/** What jose says, in words that name a claim and never quote one. */
function explained(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return refused("this ID token has expired: its exp is over", error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(
      error.reason === "missing"
        ? `this ID token has no ${error.claim}`
        : `the ${error.claim} of this ID token is not as it must be`,
      error,
    );
  // The last two are what is said of a published key that is damaged, too short or not for signatures.
  if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException)
    return refused(
      "this ID token is not signed by its issuer, with a key that is published and in a way that is taken",
      error,
    );
  return error;
}

function refused(message: string, cause?: unknown): CodedError {
  return new CodedError("id-token-refused", message, { cause });
}
