import type { X509Certificate } from "node:crypto";
import { type AuditEvent, blankEvent } from "../access/audit/audit-event.ts";
import type { AuditLog } from "../access/audit/audit-log.ts";
import { certificateSubject, faultOfCertificate } from "../access/oidc/certificates.ts";
import { type Grant, grantByClaims, grantBySubject, isWriting, type SubjectRule } from "../access/oidc/grants.ts";
import { IdTokens, type Issuer } from "../access/oidc/id-tokens.ts";
import type { ReadDocument } from "../access/oidc/issuer-keys.ts";
import { shownSubject, subjectOf } from "../access/oidc/token-subject.ts";
import type { UsedTokens } from "../access/oidc/used-tokens.ts";
import type { SigningKey } from "../access/token-store.ts";
import { issueToken } from "../access/tokens.ts";
import { tenantOfPatterns } from "../edge/fetch-line.ts";
import { CodedError } from "../golang/coded-error.ts";

export interface ExchangeParts {
  /** `oidc` of the configuration. */
  readonly issuers: readonly Issuer[];
  /** `mtls.rules` of the configuration. */
  readonly subjects: readonly SubjectRule[];
  /** The names of the tenants. */
  readonly tenants: readonly string[];
  readonly read: ReadDocument;
  readonly used: UsedTokens;
  /** Reads the key that signs now. */
  readonly signingKey: () => Promise<SigningKey>;
  readonly audit: Pick<AuditLog, "write">;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The request by which somebody asks for a token. */
export type Origin = Pick<AuditEvent, "request" | "address">;

/** What is given. */
export interface ShortToken {
  readonly token: string;
  /** Unix seconds. */
  readonly expires: number;
}

/**
 * Gives tokens for what proves who asks: an ID token of a provider, or a client certificate. Each is in the audit log
 * before it exists, with who signed for whom and by which rule; nothing else is kept of it.
 */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #idTokens: IdTokens;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#idTokens = new IdTokens(parts);
  }

  /**
   * Gives a token for an ID token. Throws as `IdTokens.verify` does, and `CodedError` "no-rule" with the names of the claims
   * that were looked at, "claim-refused", "used-already" and "bad-token-request".
   */
  async byIdToken(token: string, origin: Origin): Promise<ShortToken> {
    const { issuers, used } = this.#parts;
    const { entry, claims, id, until } = await this.#idTokens.verify(token);
    const { issuer, rules, subject: named } = issuers[entry] as Issuer;
    const found = grantByClaims(rules, claims);
    if ("looked" in found) throw noRule("issuer", found.looked);
    const subject = subjectOf(claims, named);
    if (isWriting(found.role) && !(await used.use(id, until)))
      throw new CodedError(
        "used-already",
        "this ID token was exchanged before: one for a role that writes counts once",
      );
    return await this.#give(found, { ...origin, subject, target: issuer, rule: `oidc.${entry}.rules.${found.rule}` });
  }

  /** Gives a token for a certificate that an authority of ours has signed, and of which the caller has the key. */
  async byCertificate(certificate: X509Certificate, origin: Origin): Promise<ShortToken> {
    const fault = faultOfCertificate(certificate, this.#parts.now());
    if (fault !== undefined) throw new CodedError("certificate-refused", fault);
    const subject = certificateSubject(certificate);
    const found = grantBySubject(this.#parts.subjects, subject);
    if ("looked" in found) throw noRule("certificate", found.looked);
    const target = `certificate ${certificate.serialNumber}`;
    return await this.#give(found, {
      ...origin,
      subject: shownSubject(subject),
      target,
      rule: `mtls.rules.${found.rule}`,
    });
  }

  async #give(
    { role, modules, minutes }: Grant,
    by: Origin & Pick<AuditEvent, "subject" | "target" | "rule">,
  ): Promise<ShortToken> {
    const { signingKey, tenants, audit, now } = this.#parts;
    const request = { subject: by.subject, role, modules: modules.join(","), minutes };
    const { token, record } = await issueToken(signingKey, request, Math.floor(now() / 1000), {
      tenants,
      note: (made) =>
        audit.write({
          ...{ ...blankEvent, ...by, time: now(), action: "token.exchange", decision: "done" },
          token: made.id,
          tenant: tenantOfPatterns(made.modules),
        }),
    });
    return { token, expires: record.expires };
  }
}

function noRule(of: string, looked: readonly string[]): CodedError {
  return new CodedError("no-rule", `no rule of this ${of} fits; looked at: ${looked.join(", ")}`);
}
