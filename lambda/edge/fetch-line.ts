import type { Identity } from "./token.ts";

// Who fetched something, and what was decided: on one machine an event of the audit log, at the edge a part of the line that
// CloudFront writes of the request.

/** Whose fetches are written down: `audit.fetches` of the configuration. */
export type Fetches = "none" | "private" | "all";

export type FetchDecision = "allowed" | "refused";

/** What decided it: the role that may, or why not: `"viewer"`, `"no-token"`, `"expired"`, `"module"`. */
export function fetchRule(identity: Identity, decision: FetchDecision): string {
  const role = identity.role;
  if (role === "anonymous") return decision === "allowed" ? role : identity.fault || "no-token";
  return decision === "allowed" ? role : "module";
}

/** The tenant whose token it is by its patterns, the first that they name: `"payments"` of `"@payments,corp.example/x"`. */
export function tenantOfPatterns(modules: string): string {
  const named = /(?:^|,)@([^,]*)/.exec(modules);
  return named ? (named[1] as string) : "";
}

/**
 * Returns the fields of a line, for lambda/access/audit/access-log-events.ts to read: `"allowed,viewer,0abcdef123456789,payments,ci%20bot"`.
 * They have neither a space nor a `+`, however they are encoded again; CloudFront keeps 800 bytes of them then.
 */
export function fetchLine(identity: Identity, decision: FetchDecision): string {
  return [
    decision,
    fetchRule(identity, decision),
    identity.id,
    tenantOfPatterns(identity.modules),
    encodeURIComponent(identity.subject),
  ].join();
}
