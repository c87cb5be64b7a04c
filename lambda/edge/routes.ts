// Every address modfront answers. The CloudFront behaviours and the HTTP API (lib/), the local server and the decision
// who may (decide.ts) all read this one table: a route without a row, or a row without a rule, does not compile.

export type Role = "viewer" | "publisher" | "operator" | "admin";

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

export type Access = Readonly<Record<Role, Rule>> & { readonly anonymous: AnonymousRule };

export type RouteName =
  | "live"
  | "ready"
  | "metrics"
  | "gosumdb"
  | "sumdb"
  | "list"
  | "latest"
  | "info"
  | "mod"
  | "zip"
  | "page";

export interface Route {
  /** The CloudFront path pattern under which requests of this route arrive; `*` is the default behaviour. */
  readonly pattern: string;
  readonly methods: readonly string[];
  readonly access: Access;
}

// The edge bundle has 10 KB, so rows are built by position and what only lib/ needs is in a table of its own.

function grant(anonymous: AnonymousRule, viewer: Rule, publisher: Rule, operator: Rule, admin: Rule): Access {
  return { anonymous, viewer, publisher, operator, admin };
}

/** Modules and checksums: private ones need a covering pattern, in every role. */
const readers = grant("public", "covered", "covered", "covered", "covered");

/** Probes carry no information and are asked by load balancers without credentials. */
const everyone = grant("yes", "yes", "yes", "yes", "yes");

/** Metrics tell what an organisation uses and how much, so they are not for every reader. */
const operators = grant("all", "no", "no", "yes", "yes");

function reading(pattern: string, access: Access): Route {
  return { pattern, access, methods: ["GET", "HEAD"] };
}

/**
 * The routes, in the order in which CloudFront must try their patterns: a checksum lookup may end in `.zip`, so
 * `/sumdb/*` comes before the file types.
 */
export const routes: Readonly<Record<RouteName, Route>> = {
  live: reading("/-/*", everyone),
  ready: reading("/-/*", everyone),
  metrics: reading("/-/*", operators),
  gosumdb: reading("/-/*", readers),
  sumdb: reading("/sumdb/*", readers),
  list: reading("*/@v/list", readers),
  latest: reading("*/@latest", readers),
  info: reading("*.info", readers),
  mod: reading("*.mod", readers),
  zip: reading("*.zip", readers),
  page: reading("*", readers),
};

/**
 * The origin path of the API half of each route's behaviour: the API knows `<origin path>/{path+}`, one Lambda each.
 * Routes with the same pattern have the same one, and the default behaviour shares that of `/-/*`.
 */
export const originPaths: Readonly<Record<RouteName, string>> = {
  live: "/site",
  ready: "/site",
  metrics: "/site",
  gosumdb: "/site",
  sumdb: "/sumdb",
  list: "/list",
  latest: "/latest",
  info: "/info",
  mod: "/mod",
  zip: "/zip",
  page: "/site",
};

/** The routes with an address of their own. `/` is also `/-/page`, because the API cannot match an empty `{path+}`. */
export const fixedPaths: Readonly<Record<string, RouteName>> = {
  "/": "page",
  "/-/page": "page",
  "/-/live": "live",
  "/-/ready": "ready",
  "/-/metrics": "metrics",
  "/-/gosumdb": "gosumdb",
};

/** Returns the pattern of the behaviour CloudFront chooses for a path as it was received, `*` for the default one. */
export function behaviourFor(path: string): string {
  for (const name in routes) {
    const pattern = routes[name as RouteName].pattern;
    const matched = pattern.charAt(0) === "*" ? path.endsWith(pattern.slice(1)) : path.startsWith(pattern.slice(0, -1));
    if (matched) return pattern;
  }
  return "*";
}
