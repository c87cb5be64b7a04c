import type { AuditEvent } from "./audit-event.ts";

/** Which events are asked for: those that fit everything that is given. */
export interface AuditQuestion {
  /** The module path, whole. */
  readonly module?: string | undefined;
  readonly version?: string | undefined;
  /** A subject, the id of a token, or a tenant. */
  readonly who?: string | undefined;
  /** An action, `"token.revoke"`, or all of a kind, `"token"`. */
  readonly action?: string | undefined;
  /** Milliseconds since the epoch: from then on. */
  readonly since: number;
  /** Milliseconds since the epoch: before then. */
  readonly until: number;
  /** Most events of one page, at least 1. */
  readonly limit: number;
  /** Where the page before ended, as it said. */
  readonly after?: string | undefined;
}

/** Events in the order of their time. */
export interface AuditPage {
  readonly events: readonly AuditEvent[];
  /** Where the next page begins; absent: there is none. A page with it may be short, or empty, all the same. */
  readonly next?: string;
}

/**
 * What was done, by whom: only added to. Neither this interface nor what is kept behind it can change an event or take one
 * away, but by its age.
 */
export interface AuditLog {
  /** Keeps an event. When it returns, no crash and no loss of power takes it away; when it throws, it may be kept or not. */
  write(event: AuditEvent): Promise<void>;

  /**
   * Returns a page of the events that fit the question. Each event that was kept before the first page was asked for is
   * on one page, once.
   *
   * Throws `CodedError` "bad-page" for an `after` that no page of this log said.
   */
  query(question: AuditQuestion): Promise<AuditPage>;

  /** Returns the changes since then that are `intended` and of which nothing more is known, the oldest first. */
  unfinished(since: number): Promise<readonly AuditEvent[]>;
}

/** True where an event fits a question, its times and page aside. */
export function fitsQuestion(event: AuditEvent, { module, version, who, action }: AuditQuestion): boolean {
  if (module !== undefined && event.module !== module) return false;
  if (version !== undefined && event.version !== version) return false;
  if (who !== undefined && ![event.subject, event.token, event.tenant].includes(who)) return false;
  return action === undefined || event.action === action || event.action.startsWith(`${action}.`);
}

/** The intended changes among events of which no other event of the same request, action and target tells the end. */
export function unfinishedOf(events: readonly AuditEvent[]): readonly AuditEvent[] {
  const key = ({ request, action, target }: AuditEvent) => JSON.stringify([request, action, target]);
  const ended = new Set(events.filter(({ decision }) => decision === "done" || decision === "failed").map(key));
  return events.filter((event) => event.decision === "intended" && !ended.has(key(event)));
}
