import type { AuditEvent } from "../access/audit/audit-event.ts";
import type { Actor, AuditedChanges, Happened } from "../access/audit/audited-changes.ts";
import { CodedError } from "../golang/coded-error.ts";
import {
  type CredentialName,
  type CredentialStore,
  type ShownCredential,
  shown,
} from "../upstream/credentials/credential-store.ts";
import { type CredentialRequest, checkCredential, checkMatch } from "../upstream/credentials/set-credential.ts";

export interface AuditedCredentialsParts {
  readonly store: CredentialStore;
  readonly changes: AuditedChanges;
  /** The names of the tenants. */
  readonly tenants: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The changes of what is shown to hosts, none of which happens without its event in the audit log, which has no secret. */
export class AuditedCredentials {
  readonly #parts: AuditedCredentialsParts;

  constructor(parts: AuditedCredentialsParts) {
    this.#parts = parts;
  }

  list(): Promise<readonly ShownCredential[]> {
    return this.#parts.store.list();
  }

  /** Throws as `checkCredential` and `CredentialStore.set` do. `tenant` is empty for the organisation's. */
  async set(actor: Actor, tenant: string, request: CredentialRequest): Promise<ShownCredential> {
    const { store, changes, now } = this.#parts;
    const checked = checkCredential(request);
    this.#checkTenant(tenant);
    const credential = { ...checked, tenant, changed: now(), request: actor.request };
    await changes.run(actor, "credential.set", (intend) => store.set(credential, () => intend(changedOf(credential))));
    return shown(credential);
  }

  /** Throws as `checkMatch` and `CredentialStore.remove` do. */
  async remove(actor: Actor, tenant: string, match: string): Promise<CredentialName> {
    const { store, changes, now } = this.#parts;
    const name = { tenant, match: checkMatch(match) };
    const change = { ...name, changed: now(), request: actor.request };
    await changes.run(actor, "credential.remove", (intend) => store.remove(change, () => intend(changedOf(name))));
    return name;
  }

  /** Whether an intended change has happened; nobody knows once there was a later one of the same name. */
  readonly happened: Happened = async ({ action, target, tenant, request, time }: AuditEvent) => {
    if (action !== "credential.set" && action !== "credential.remove") return undefined;
    const last = await this.#parts.store.last({ tenant, match: target });
    if (last === undefined) return false;
    if (last.request === request) return last.removed === (action === "credential.remove");
    return last.changed > time ? undefined : false;
  };

  #checkTenant(tenant: string): void {
    if (tenant !== "" && !this.#parts.tenants.includes(tenant))
      throw new CodedError("bad-credential", "tenant: there is none of this name");
  }
}

function changedOf({ tenant, match }: CredentialName) {
  return { target: match, tenant };
}
