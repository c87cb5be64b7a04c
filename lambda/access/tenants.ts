import { matchPrefixPatterns } from "../golang/module.ts";
import { patternsMeet } from "../golang/pattern-overlap.ts";

/** A part of the organisation whose modules nobody else sees. */
export interface Tenant {
  /** Patterns in GOPRIVATE syntax; what they match is private. */
  readonly modules: readonly string[];
  /** The subjects of the tokens that manage the tenant, where their modules name it too. */
  readonly admins?: readonly string[] | undefined;
}

/** The tenants by name: `tenants` of the configuration. */
export type Tenants = Readonly<Record<string, Tenant>>;

/** How many tenants a token can name: the edge reads the patterns of each, and may read little. */
export const mostTenantsOfToken = 2;

/** True for a pattern of module paths, false for the name of a tenant in a list of patterns: `"@payments"`. */
export function isModulePattern(pattern: string): boolean {
  return !pattern.startsWith("@");
}

/** Says what is wrong with the tenants that patterns name, a token's unless there may be more, or `undefined`. */
export function faultOfTenantNames(
  patterns: readonly string[],
  tenants: readonly string[],
  most = mostTenantsOfToken,
): string | undefined {
  const named = patterns.filter((pattern) => !isModulePattern(pattern)).map((pattern) => pattern.slice(1));
  const unknown = named.find((name) => !tenants.includes(name));
  if (unknown !== undefined) return `@${unknown}: there is no such tenant`;
  return new Set(named).size <= most ? undefined : `a token can name ${most} tenants: make one for each`;
}

/** Returns the patterns with those of a tenant in place of its name; a tenant that is gone stands for nothing. */
export function resolveTenants(patterns: readonly string[], tenants: Tenants): readonly string[] {
  return patterns.flatMap((pattern) => {
    if (isModulePattern(pattern)) return pattern;
    const name = pattern.slice(1);
    return Object.hasOwn(tenants, name) ? (tenants[name] as Tenant).modules : [];
  });
}

/** Returns the patterns of each tenant as the edge reads them: comma-separated, by name. */
export function tenantPatterns(tenants: Tenants): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(tenants).map(([name, { modules }]) => [name, modules.join(",")]));
}

/** Returns the name of the tenant to which a module belongs. There is one at most: their patterns do not meet. */
export function tenantOf(module: string, tenants: Tenants): string | undefined {
  return Object.keys(tenants).find((name) => matchPrefixPatterns((tenants[name] as Tenant).modules.join(","), module));
}

/** Returns what tells the tenant of a module, where that has something of its own. */
export function tenantWith(tenants: Tenants, has: (name: string) => boolean): (module: string) => string | undefined {
  return (module) => {
    const name = tenantOf(module, tenants);
    return name !== undefined && has(name) ? name : undefined;
  };
}

/** Whose a place is by its path, where modules lead to their repositories. */
export interface TenantBorders {
  /** The name of the tenant to which a module belongs; `""` of none. */
  tenantOf(module: string): string;
  /** True for a path that the patterns of another tenant match than of this one, or of any where this is `""`. */
  isForeign(path: string, tenant: string): boolean;
}

/** Returns the borders between tenants. What no pattern has to the letter is compared without capitals, as hosts compare it. */
export function tenantBorders(tenants: Tenants): TenantBorders {
  const written = Object.entries(tenantPatterns(tenants));
  const small = written.map(([name, patterns]) => [name, patterns.toLowerCase()] as const);
  const ownersIn = (all: readonly (readonly [string, string])[], path: string) =>
    all.filter(([, patterns]) => matchPrefixPatterns(patterns, path)).map(([name]) => name);
  return {
    tenantOf: (module) => tenantOf(module, tenants) ?? "",
    isForeign: (path, tenant) => {
      const exact = ownersIn(written, path);
      const owners = exact.length > 0 ? exact : ownersIn(small, path.toLowerCase());
      return owners.length > 0 && !owners.includes(tenant);
    },
  };
}

/**
 * Says what of the tenants cannot be meant, or `undefined`: a module path that belongs to two of them, which would show
 * each what is the other's.
 */
export function faultOfTenants(tenants: Tenants): string | undefined {
  const owned = Object.entries(tenants).flatMap(([name, { modules }]) => modules.map((pattern) => ({ name, pattern })));
  for (const [i, one] of owned.entries()) {
    const other = owned
      .slice(0, i)
      .find(({ name, pattern }) => name !== one.name && patternsMeet(pattern, one.pattern));
    if (other !== undefined) {
      return `tenants.${one.name}.modules: ${one.pattern} meets ${other.pattern} of ${other.name}: a module is one tenant's`;
    }
  }
  return undefined;
}
