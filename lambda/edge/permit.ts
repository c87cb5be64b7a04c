import { type AccessSettings, type KeyValues, privateKey, tenantKey } from "./access-settings.ts";
import { coversModule } from "./patterns.ts";
import type { Identity, Role } from "./token.ts";

/**
 * What a row says to the holder of a role: `yes`, `no`, or `covered`: yes for everything public, and for a private
 * module where a pattern of the token covers it.
 */
export type Rule = "yes" | "no" | "covered";

/**
 * What a row says to someone without a token: `yes` always; `public` where `access.anonymous` is `public` and the module
 * is not private, or where it is `all`; `all` only where `access.anonymous` is `all`; `no` never.
 */
export type AnonymousRule = "yes" | "public" | "all" | "no";

/** Who may use a route: a row of the table route × role. */
export type Access = Readonly<Record<Role, Rule>> & { readonly anonymous: AnonymousRule };

/** Modules and checksums: private ones need a covering pattern, in every role. */
export const readers: Access = {
  anonymous: "public",
  viewer: "covered",
  publisher: "covered",
  operator: "covered",
  admin: "covered",
};

/** What carries no information and is asked without credentials, as load balancers do. */
export const everyone: Access = { anonymous: "yes", viewer: "yes", publisher: "yes", operator: "yes", admin: "yes" };

/** What tells of an organisation as a whole is not for every reader. */
export const operators: Access = { anonymous: "all", viewer: "no", publisher: "no", operator: "yes", admin: "yes" };

/** Why someone may not: no token, a role without that right, a private module no pattern covers, or nobody can tell. */
export type Denial = "no-token" | "role" | "module" | "unchecked";

type Texts = KeyValues["text"];

/**
 * Returns why an identity may not use a row of the site for a module, or undefined when it may.
 *
 * With `readDenial` the only place that decides it: the edge asks before the cache, the functions behind it ask again.
 */
export function denial(
  access: Access,
  settings: AccessSettings,
  identity: Identity,
  module: string | undefined,
): Denial | undefined {
  const nobodys = access.anonymous;
  if (nobodys === "yes" || (nobodys !== "no" && settings.anonymous === "all")) return undefined;
  const text = knownTo(settings);
  const hidden = hides(settings, module, text);
  if (nobodys === "public" && settings.anonymous === "public" && !hidden) return undefined;
  if (identity.role === "anonymous") return "no-token";
  const rule = access[identity.role];
  if (rule === "no") return "role";
  return rule === "yes" || !hidden ? undefined : closed(identity, module as string, text);
}

/** The texts behind the edge, where the settings have everything: a tenant that they do not know has no modules. */
export function knownTo(settings: AccessSettings): Texts {
  const tenants = settings.tenants ?? {};
  const prefix = tenantKey("");
  return (key) => {
    const name = key.slice(prefix.length);
    return key.startsWith(prefix) && Object.hasOwn(tenants, name) ? (tenants[name] as string) : "";
  };
}

/**
 * `denial` for `readers`, without the table: all that the edge needs to know about the module protocol. Of the texts it
 * reads one for whether the module is private and, if so, that of each tenant of the token.
 */
export function readDenial(
  settings: AccessSettings,
  identity: Identity,
  module: string | undefined,
  text: Texts,
): Exclude<Denial, "role"> | undefined {
  if (settings.anonymous === "all") return undefined;
  return judge(settings, identity, module, text, hides(settings, module, text));
}

/** The same where not everybody may read everything, and it is known whether the module is private. */
export function judge(
  settings: AccessSettings,
  identity: Identity,
  module: string | undefined,
  text: Texts,
  hidden: boolean | undefined,
): Exclude<Denial, "role"> | undefined {
  if (hidden === undefined) return "unchecked";
  if (settings.anonymous === "public" && !hidden) return undefined;
  if (identity.role === "anonymous") return "no-token";
  return hidden ? closed(identity, module as string, text) : undefined;
}

/** True for a private module; undefined where that cannot be read. */
export function hides(settings: AccessSettings, module: string | undefined, text: Texts): boolean | undefined {
  const key = module && privateKey(module);
  const patterns = key ? text(key) : "";
  if (patterns === undefined) return undefined;
  return module !== undefined && coversModule(`${settings.private},${patterns}`, module);
}

/**
 * Returns why a private module is closed to an identity, or undefined where a pattern covers it, a tenant's maybe. Those
 * are two at most: no token with more is made.
 */
function closed(identity: Identity, module: string, text: Texts): "module" | "unchecked" | undefined {
  let why: "module" | "unchecked" = "module";
  const patterns = identity.modules.replace(/(^|,)@([^,]+)/g, (_, comma, name) => {
    const own = text(tenantKey(name));
    if (own === undefined) why = "unchecked";
    return comma + (own || "");
  });
  return coversModule(patterns, module) ? undefined : why;
}
