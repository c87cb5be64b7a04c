import { type AuditEvent, blankEvent } from "../access/audit/audit-event.ts";
import { tenantOfPatterns } from "../edge/fetch-line.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import type { Route } from "../http/route.ts";

/** Returns the event of a request for a row of the site that was refused for who asked: `"request.token-create"`. */
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
    ...{ module, version, target: id ?? path ?? "" },
    decision: "refused",
    rule: identity.role === "anonymous" ? (identity.fault ?? "no-token") : "role",
  };
}
