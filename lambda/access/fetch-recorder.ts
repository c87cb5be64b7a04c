import { type FetchDecision, type Fetches, fetchRule, tenantOfPatterns } from "../edge/fetch-line.ts";
import { decodePath, routeChannelled } from "../edge/routed-path.ts";
import type { Identity } from "../edge/token.ts";
import { type AuditEvent, blankEvent } from "./audit/audit-event.ts";

export interface FetchRecorderParts {
  /** `audit.fetches` of the configuration. */
  readonly fetches: Fetches;
  readonly isPrivate: (module: string) => boolean;
  /** Keeps events; what it rejects with is lost, and told to `failed`. */
  readonly write: (events: readonly AuditEvent[]) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One request for something of the module protocol, and what was decided of it. */
export interface Fetch {
  /** The path as received. */
  readonly path: string;
  readonly address: string;
  readonly identity: Identity;
  readonly decision: FetchDecision;
  /** The code of the error where the content was refused, not who asked. */
  readonly rule?: string;
}

/** What a path asks for, as far as it matters here. */
type Asked = Pick<AuditEvent, "action" | "module" | "version">;

/** Events that differ, until they are written: of everybody, and of those whom nobody knows and who were refused. */
const mostEvents = 10_000;
const mostOfStrangers = 16;
/** Paths of which it is remembered what they ask for. */
const mostPaths = 10_000;

/**
 * Fetches and refused requests on one machine, counted in memory and written down together, so that a hit costs a look into
 * two maps.
 *
 * The same by the same from the same address is one event with a count. Both are bounded, since anybody can send requests:
 * what is more than that is counted in an event that says no more.
 */
export class FetchRecorder {
  readonly #parts: FetchRecorderParts;
  readonly #paths = new Map<string, Asked | undefined>();
  #events = new Map<string, AuditEvent>();
  #strangers = 0;

  constructor(parts: FetchRecorderParts) {
    this.#parts = parts;
  }

  record({ path, address, identity, decision, rule = fetchRule(identity, decision) }: Fetch): void {
    const asked = this.#asked(path);
    if (asked === undefined) return;
    const key = `${decision} ${rule} ${identity.id} ${address} ${path}`;
    if (this.#count(key)) return;
    const who = { subject: identity.subject, token: identity.id, tenant: tenantOfPatterns(identity.modules), address };
    this.#add(key, { ...blankEvent, ...who, ...asked, time: this.#parts.now(), decision, rule });
  }

  /** A refused request that is no fetch, which is written down whatever fetches are. */
  refuse(event: AuditEvent): void {
    const { rule, token, address, action, module, version, target } = event;
    const key = JSON.stringify([rule, token, address, action, module, version, target]);
    if (!this.#count(key)) this.#add(key, event);
  }

  #add(key: string, event: AuditEvent): void {
    const isStranger = event.decision === "refused" && event.token === "";
    const tooMany = this.#events.size >= mostEvents || (isStranger && this.#strangers >= mostOfStrangers);
    if (isStranger) this.#strangers++;
    if (tooMany) this.#countOther(event);
    else this.#events.set(key, event);
  }

  /** Writes down what was recorded since the last time. */
  async flush(): Promise<void> {
    const events = this.#events;
    if (events.size === 0) return;
    this.#events = new Map();
    this.#strangers = 0;
    try {
      await this.#parts.write([...events.values()]);
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  #count(key: string): boolean {
    const event = this.#events.get(key);
    if (event === undefined) return false;
    (event as { count: number }).count++;
    return true;
  }

  #countOther({ action, decision, rule, time }: AuditEvent): void {
    const other = action.replace(/\..*/, ".other");
    const key = `${other} ${decision} ${rule}`;
    if (this.#count(key)) return;
    this.#events.set(key, { ...blankEvent, action: other, time, decision, rule });
  }

  #asked(path: string): Asked | undefined {
    if (this.#paths.has(path)) return this.#paths.get(path);
    const asked = this.#read(path);
    if (this.#paths.size >= mostPaths) this.#paths.clear();
    this.#paths.set(path, asked);
    return asked;
  }

  /** Undefined for what is not written down: what is no path of a module, and what is public where private ones are. */
  #read(path: string): Asked | undefined {
    const decoded = decodePath(path);
    const routed = decoded === undefined ? undefined : routeChannelled(decoded);
    if (routed === undefined || "reason" in routed || routed.route === "site") return undefined;
    const { route, module = "", version = "" } = routed;
    if (this.#parts.fetches === "private" && (module === "" || !this.#parts.isPrivate(module))) return undefined;
    return { action: `fetch.${route}`, module, version };
  }
}
