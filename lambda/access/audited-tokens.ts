import { tenantOfPatterns } from "../edge/fetch-line.ts";
import type { Actor, AuditedChanges, Happened } from "./audit/audited-changes.ts";
import type { TokenRecord, TokenStore } from "./token-store.ts";
import { createToken, revokeToken, rotateKey, type TokenRequest } from "./tokens.ts";

export interface AuditedTokensParts {
  readonly store: TokenStore;
  readonly changes: AuditedChanges;
  /** The names of the tenants. */
  readonly tenants: readonly string[];
  /** Unix seconds. */
  readonly now: () => number;
}

/** The changes of tokens, none of which happens without its event in the audit log. */
export class AuditedTokens {
  readonly #parts: AuditedTokensParts;

  constructor(parts: AuditedTokensParts) {
    this.#parts = parts;
  }

  /** As `createToken`. */
  create(actor: Actor, request: TokenRequest): Promise<{ readonly token: string; readonly record: TokenRecord }> {
    const { store, changes, tenants, now } = this.#parts;
    return changes.run(actor, "token.create", (intend) =>
      createToken(store, request, now(), { tenants, note: (record) => intend(changed(record)) }),
    );
  }

  /** As `revokeToken`. */
  revoke(actor: Actor, id: string, check: (record: TokenRecord) => void = () => {}): Promise<void> {
    const { store, changes, now } = this.#parts;
    return changes.run(actor, "token.revoke", (intend) =>
      revokeToken(store, id, now(), { check, note: (record) => intend(changed(record)) }),
    );
  }

  /** As `rotateKey`, returning the id of the key that signs now. The event names the one that signed until then. */
  async rotateKey(actor: Actor, { dropOld }: { readonly dropOld: boolean }): Promise<string> {
    const { store, changes } = this.#parts;
    const target = await this.#signingKey();
    const action = dropOld ? "token.drop-keys" : "token.rotate-key";
    return await changes.run(actor, action, (intend) => rotateKey(store, { dropOld, note: () => intend({ target }) }));
  }

  /**
   * Whether an intended change of a token or of the keys has happened. Of a revocation nobody knows where the token was
   * revoked after it was intended: the first time stays, and this one's is from before its event.
   */
  readonly happened: Happened = async ({ action, target, time }) => {
    if (action === "token.rotate-key" || action === "token.drop-keys") return (await this.#signingKey()) !== target;
    const isRevocation = action === "token.revoke";
    if (!isRevocation && action !== "token.create") return undefined;
    const record = await this.#parts.store.find(target);
    if (!isRevocation) return record !== undefined;
    if (record?.revoked === undefined) return record && false;
    return record.revoked * 1000 > time ? undefined : true;
  };

  async #signingKey(): Promise<string> {
    return (await this.#parts.store.readKeys()).keys[0]?.id ?? "";
  }
}

function changed({ id, modules }: TokenRecord) {
  const tenant = tenantOfPatterns(modules);
  return tenant === "" ? { target: id } : { target: id, tenant };
}
