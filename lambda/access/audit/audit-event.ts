/** What became of an action. A change is `intended` first, and then `done` or `failed`: both events have one request. */
export type AuditDecision = "allowed" | "refused" | "intended" | "done" | "failed";

const decisions: readonly string[] = ["allowed", "refused", "intended", "done", "failed"] satisfies AuditDecision[];

/**
 * One thing that somebody did, or wanted to do: the same fields whatever it was, and the empty text for what it has not.
 *
 * Nothing of it is secret: a token is its id, a credential its host.
 */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The id of the request, which the lines of the functions about it have too. */
  readonly request: string;
  /** Whom the token was made for; of someone at a terminal their name there. */
  readonly subject: string;
  /** The id of the token that was shown. */
  readonly token: string;
  /** Whose the token is. */
  readonly tenant: string;
  /** From where: an address of the network. */
  readonly address: string;
  /** `"token.revoke"`, `"fetch.zip"`: what kind of thing, and what was done. */
  readonly action: string;
  readonly module: string;
  readonly version: string;
  /** What was changed, where that is no module: the id of a token, the host of a credential. */
  readonly target: string;
  readonly decision: AuditDecision;
  /** What decided it: `"admin"`, `"no-token"`. */
  readonly rule: string;
  /** How many of the same there were within a second; 1 for a change. */
  readonly count: number;
}

/** The fields of text, in the order in which they are shown. */
export const textFields = [
  ...(["request", "subject", "token", "tenant", "address", "action"] as const),
  ...(["module", "version", "target", "decision", "rule"] as const),
] as const satisfies readonly (keyof AuditEvent)[];

/** An event about nothing in particular, to be filled in. */
export const blankEvent: Omit<AuditEvent, "time" | "action" | "decision"> = {
  ...{ request: "", subject: "", token: "", tenant: "", address: "" },
  ...{ module: "", version: "", target: "", rule: "", count: 1 },
};

/** Longest text of a field that is kept: paths end at 1,024 bytes, and whatever else a client sends is shorter. */
const longestText = 1100;

/** Returns the event as one line of JSON, its time as RFC 3339 says, longer texts cut off. */
export function formatAuditEvent({ time, count, ...texts }: AuditEvent): string {
  const fields = textFields.map((name) => [name, texts[name].slice(0, longestText)]);
  return JSON.stringify({ time: new Date(time).toISOString(), ...Object.fromEntries(fields), count });
}

/** Reads what `formatAuditEvent` wrote; undefined for anything else. Fields that are missing are empty. */
export function parseAuditEvent(line: string): AuditEvent | undefined {
  try {
    const value: Readonly<Record<string, unknown>> = JSON.parse(line);
    const time = Date.parse(String(value.time));
    const count = Number(value.count ?? 1);
    if (Number.isNaN(time) || !Number.isInteger(count) || !decisions.includes(String(value.decision))) return undefined;
    const texts = Object.fromEntries(textFields.map((name) => [name, String(value[name] ?? "")]));
    return { time, count, ...texts } as unknown as AuditEvent;
  } catch {
    return undefined;
  }
}
