import type { Identity } from "../edge/token.ts";
import { splitPatterns } from "../golang/module-pattern.ts";
import { isPatternWithin } from "../golang/pattern-overlap.ts";
import { isModulePattern, type Tenant, type Tenants } from "./tenants.ts";
import type { TokenRecord } from "./token-store.ts";

// What somebody may manage. An admin may manage everything. A tenant's admin is whose subject the configuration names
// (`tenants.<name>.admins`) and whose token names the tenant (`@name` among its modules): a subject alone is only what
// whoever made the token wrote. They manage the tenant's tokens, upstream credentials and blocks, and nothing else.

/** The roles of tokens that a tenant's admin can make: what the others may is the organisation's. */
const tenantRoles: readonly string[] = ["viewer", "publisher"];

/** Returns the names of the tenants that somebody manages as their admin. */
export function managedTenants(identity: Identity, tenants: Tenants): readonly string[] {
  const patterns = splitPatterns(identity.modules);
  return Object.keys(tenants).filter((name) => {
    const admins = (tenants[name] as Tenant).admins ?? [];
    return identity.role !== "anonymous" && admins.includes(identity.subject) && patterns.includes(`@${name}`);
  });
}

/** True when somebody may make a token with this role and these modules. One without modules is nobody's but an admin's. */
export function mayMakeToken(
  identity: Identity,
  request: { readonly role: string; readonly modules?: string | undefined },
  tenants: Tenants,
): boolean {
  if (identity.role === "admin") return true;
  return tenantRoles.includes(request.role) && ownsPatterns(identity, request.modules ?? "", tenants);
}

/** True when somebody may see that a token is there, and revoke it: one that they could have made. */
export function mayManageToken(
  identity: Identity,
  record: Pick<TokenRecord, "role" | "modules">,
  tenants: Tenants,
): boolean {
  return mayMakeToken(identity, record, tenants);
}

/** True when somebody may block this module, or allow it again. */
export function mayManageModule(identity: Identity, module: string, tenants: Tenants): boolean {
  if (identity.role === "admin") return true;
  return !/[*?[\\,@]/.test(module) && ownsPatterns(identity, module, tenants);
}

/** True when there are patterns and each is of a tenant that they manage: its name, or within its modules. */
function ownsPatterns(identity: Identity, text: string, tenants: Tenants): boolean {
  const managed = managedTenants(identity, tenants);
  const owned = managed.flatMap((name) => (tenants[name] as Tenant).modules);
  const patterns = splitPatterns(text);
  const isOwn = (pattern: string) =>
    isModulePattern(pattern)
      ? owned.some((outer) => isPatternWithin(pattern, outer))
      : managed.includes(pattern.slice(1));
  return patterns.length > 0 && patterns.every(isOwn);
}
