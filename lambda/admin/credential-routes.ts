import { managedTenants } from "../access/tenant-admin.ts";
import type { Tenants } from "../access/tenants.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import type { Route } from "../http/route.ts";
import type { ShownCredential } from "../upstream/credentials/credential-store.ts";
import { actorOf, holders, jsonAnswer, orLine, refuseManaging } from "./administration.ts";
import type { AuditedCredentials } from "./audited-credentials.ts";
import { type CredentialBody, credentialBody } from "./bodies.ts";

export interface CredentialAdministration {
  readonly credentials: AuditedCredentials;
  readonly tenants: Tenants;
}

const json = "application/json";

/**
 * What is shown to git hosts and upstreams, over HTTP: the organisation's, and each tenant's own for an admin; their tenant's for who
 * manages it, whatever the host, because it is shown for that tenant's modules alone. Secrets go in, and never out.
 */
export function credentialRoutes({ credentials, tenants }: CredentialAdministration): readonly Route[] {
  const list: Route["handler"] = async (request) => {
    const { identity } = request;
    const managed = managedTenants(identity, tenants);
    if (identity.role !== "admin" && managed.length === 0) return refuseManaging(request);
    return await orLine(async () => {
      const all = await credentials.list();
      const own = identity.role === "admin" ? all : all.filter(({ tenant }) => managed.includes(tenant));
      return jsonAnswer({ items: own.map(shownCredential) });
    });
  };
  const set: Route["handler"] = async (request) => {
    const { tenant: named, ...body } = request.input as CredentialBody;
    const tenant = tenantFor(request, named, tenants);
    if (tenant === undefined) return refuseManaging(request);
    return await orLine(async () => {
      const match = request.parameters?.path ?? "";
      return jsonAnswer(shownCredential(await credentials.set(actorOf(request, tenants), tenant, { ...body, match })));
    });
  };
  const remove: Route["handler"] = async (request) => {
    const named = new URLSearchParams(request.query ?? "").get("tenant") ?? undefined;
    const tenant = tenantFor(request, named, tenants);
    if (tenant === undefined) return refuseManaging(request);
    return await orLine(async () =>
      jsonAnswer(await credentials.remove(actorOf(request, tenants), tenant, request.parameters?.path ?? "")),
    );
  };
  return [
    {
      name: "credentials",
      address: "/-/api/credentials",
      methods: ["GET", "HEAD"],
      access: holders,
      output: {
        contentType: json,
        about: "What was set to be shown to hosts, as far as the asker manages it: no secret.",
      },
      handler: list,
    },
    {
      name: "credential-set",
      address: "/-/api/credentials/<path>",
      methods: ["PUT"],
      access: holders,
      input: credentialBody,
      output: { contentType: json, about: "What was set for a host, or host and path, without its secret." },
      handler: set,
    },
    {
      name: "credential-remove",
      address: "/-/api/credentials/<path>",
      methods: ["DELETE"],
      access: holders,
      output: { contentType: json, about: "What was removed: nothing of it is shown from now on." },
      handler: remove,
    },
  ];
}

/** Whose it is to be: the organisation's (`""`) an admin's alone; undefined for whom that is not to manage. */
function tenantFor({ identity }: AdmittedRequest, named: string | undefined, tenants: Tenants): string | undefined {
  if (identity.role === "admin") return named ?? "";
  const managed = managedTenants(identity, tenants);
  if (named === undefined) return managed.length === 1 ? managed[0] : undefined;
  return managed.includes(named) ? named : undefined;
}

function shownCredential({ match, tenant, kind, user, changed }: ShownCredential) {
  return {
    match,
    kind,
    ...(user !== undefined && { user }),
    ...(tenant !== "" && { tenant }),
    changed: new Date(changed).toISOString(),
  };
}
