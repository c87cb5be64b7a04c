import type { AuditEvent } from "../access/audit/audit-event.ts";
import type { Actor, AuditedChanges, Happened } from "../access/audit/audited-changes.ts";
import { type Tenants, tenantOf } from "../access/tenants.ts";
import { CodedError } from "../golang/coded-error.ts";
import { canonicalVersion, check, checkPath } from "../golang/module.ts";
import { longestReason } from "../proxy/store/blocked-text.ts";
import type { Ruling, RulingKind, RulingName, RulingStore } from "../proxy/store/ruling-store.ts";

export interface AuditedRulingsParts {
  readonly store: RulingStore;
  readonly changes: AuditedChanges;
  readonly tenants: Tenants;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What somebody asks to be ruled. */
export interface RulingRequest extends RulingName {
  readonly reason: string;
  /** The day on which it ends, as it begins in UTC: `"2027-01-31"`. */
  readonly until?: string | undefined;
}

/** Milliseconds: what is to hold longer is to hold for ever. */
const longest = 20 * 365 * 86_400_000;

/** The rulings that people make, none of which happens without its event in the audit log. */
export class AuditedRulings {
  readonly #parts: AuditedRulingsParts;

  constructor(parts: AuditedRulingsParts) {
    this.#parts = parts;
  }

  get store(): RulingStore {
    return this.#parts.store;
  }

  /** Throws `CodedError` "bad-ruling", and what `RulingStore.set` throws. */
  async set(actor: Actor, request: RulingRequest): Promise<Ruling> {
    const { store, changes, now } = this.#parts;
    checkName(request);
    const { kind, module, version } = request;
    const reason = checkReason(request.reason);
    const made = { by: actor.subject, at: now(), request: actor.request };
    const until = request.until === undefined ? {} : { until: parseDay(request.until, now()) };
    const ruling = { kind, module, version, reason, ...until, ...made };
    await changes.run(actor, `${kind}.set`, (intend) =>
      store.set(ruling, () => intend({ ...this.#changed(ruling), target: reason })),
    );
    return ruling;
  }

  /** Throws `CodedError` "bad-ruling" and "no-such-ruling". */
  async remove(actor: Actor, name: RulingName): Promise<void> {
    const { store, changes, now } = this.#parts;
    checkName(name);
    const change = { ...name, at: now(), request: actor.request };
    await changes.run(actor, `${name.kind}.remove`, (intend) =>
      store.remove(change, () => intend(this.#changed(name))),
    );
  }

  /** Whether an intended change has happened; nobody knows once there was a later one of the same name. */
  readonly happened: Happened = async ({ action, module, version, request, time }: AuditEvent) => {
    const [, kind, what] = /^(block|exception)\.(set|remove)$/.exec(action) ?? [];
    if (kind === undefined) return undefined;
    const last = await this.#parts.store.last({ kind: kind as RulingKind, module, version });
    if (last === undefined) return false;
    if (last.request === request) return last.removed === (what === "remove");
    return last.at > time ? undefined : false;
  };

  #changed({ module, version }: RulingName) {
    return { module, version, tenant: tenantOf(module, this.#parts.tenants) ?? "" };
  }
}

function checkName({ module, version }: RulingName): void {
  try {
    if (version === "") checkPath(module);
    else check(module, version);
  } catch (cause) {
    throw new CodedError("bad-ruling", "this takes a module path, and a version of it", { cause });
  }
  if (version !== "" && canonicalVersion(version) !== version)
    throw new CodedError("bad-ruling", "this takes a whole version, as it stands in a go.mod: v1.2.3");
}

function checkReason(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > longestReason || /[\p{C}\p{Zl}\p{Zp}]/u.test(reason))
    throw new CodedError(
      "bad-ruling",
      `reason: one line of at most ${longestReason} characters, for whoever is refused`,
    );
  return reason;
}

function parseDay(text: string, now: number): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  const isDay = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
  if (!isDay || time <= now || time > now + longest)
    throw new CodedError("bad-ruling", "until: a day to come, as 2027-01-31, within twenty years");
  return time;
}
