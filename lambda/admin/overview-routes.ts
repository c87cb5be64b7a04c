import { formatAuditEvent } from "../access/audit/audit-event.ts";
import { managedTenants } from "../access/tenant-admin.ts";
import { readMethods } from "../edge/routes.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { Route } from "../http/route.ts";
import { type Administration, admins, holders, jsonAnswer, orLine, pageOf, refuseManaging } from "./administration.ts";

const json = "application/json";
const month = 30 * 86_400_000;

/** What administrators look at: the tenants, and who did what. */
export function overviewRoutes({ audit, tenants, settle, now }: Administration): readonly Route[] {
  const listTenants: Route["handler"] = async (request) => {
    const { identity } = request;
    const names = identity.role === "admin" ? Object.keys(tenants) : managedTenants(identity, tenants);
    if (identity.role !== "admin" && names.length === 0) return refuseManaging(request);
    return jsonAnswer({ items: names.map((name) => ({ name, ...tenants[name] })) });
  };
  const listAudit: Route["handler"] = (request) =>
    orLine(async () => {
      const query = new URLSearchParams(request.query ?? "");
      const [module, version] = textOf(query, "module")?.split("@") ?? [];
      const since = timeOf(query, "since") ?? now() - month;
      const until = timeOf(query, "until") ?? now() + 1;
      const who = { who: textOf(query, "who"), action: textOf(query, "action") };
      // What cannot be settled now is shown as intended, and settled later.
      await settle?.().catch(() => {});
      const { events, next } = await audit.query({ module, version, ...who, since, until, ...pageOf(query) });
      const items = events.map((event) => JSON.parse(formatAuditEvent(event)));
      return jsonAnswer({ items, ...(next !== undefined && { next }) });
    });
  return [
    {
      name: "tenants",
      address: "/-/api/tenants",
      methods: readMethods,
      access: holders,
      output: { contentType: json, about: "The tenants that the asker manages." },
      handler: listTenants,
    },
    {
      name: "audit",
      address: "/-/api/audit",
      methods: readMethods,
      access: admins,
      output: { contentType: json, about: "Who did what, the oldest first; a page may be empty and not be the last." },
      handler: listAudit,
    },
  ];
}

function textOf(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new CodedError("bad-page", `${name}: a time as RFC 3339 has it, or a day`);
  return time;
}
