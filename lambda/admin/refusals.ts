import { type AuditEvent, blankEvent } from "../access/audit/audit-event.ts";
import { tenantOfPatterns } from "../edge/fetch-line.ts";
import { withoutTokens } from "../golang/shown-text.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import type { Route } from "../http/route.ts";

/**
 * Returns the event of a request for a row of the site that was refused for who asked: `"request.token-create"`.
 *
 * Nobody has looked yet at what it asks for: a whole token in place of an id, or a password before a host, is not kept.
 */
export function refusalOf(
  { identity, parameters = {}, origin }: AdmittedRequest,
  { name }: Pick<Route, "name">,
  time: number,
): AuditEvent {
  const { module = "", version = "", id, path } = parameters;
  return {
    ...blankEvent,
    time,
    request: origin?.request ?? "",
    subject: identity.subject,
    token: identity.id,
    tenant: tenantOfPatterns(identity.modules),
    address: origin?.address ?? "",
    action: `request.${name}`,
    ...{ module, version, target: targetOf(id ?? path ?? "") },
    decision: "refused",
    rule: identity.role === "anonymous" ? (identity.fault ?? "no-token") : "role",
  };
}

function targetOf(text: string): string {
  return withoutTokens(text.slice(text.lastIndexOf("@") + 1));
}
