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
  /** The origin path of that behaviour's API half: the API knows `<originPath>/{path+}` and one Lambda for it. */
  readonly originPath: string;
  readonly methods: readonly string[];
  readonly access: Access;
}

const reading = ["GET", "HEAD"];

/** Modules and checksums: private ones need a covering pattern, in every role. */
const readers: Access = {
  anonymous: "public",
  viewer: "covered",
  publisher: "covered",
  operator: "covered",
  admin: "covered",
};

/** Probes carry no information and are asked by load balancers without credentials. */
const everyone: Access = { anonymous: "yes", viewer: "yes", publisher: "yes", operator: "yes", admin: "yes" };

/** Metrics tell what an organisation uses and how much, so they are not for every reader. */
const operators: Access = { anonymous: "all", viewer: "no", publisher: "no", operator: "yes", admin: "yes" };

// Written without spread: the edge bundle would carry esbuild's helper for it.
function internal(access: Access): Route {
  return { pattern: "/-/*", originPath: "/internal", methods: reading, access };
}

/**
 * The routes, in the order in which CloudFront must try their patterns: a checksum lookup may end in `.zip`, so
 * `/sumdb/*` comes before the file types.
 */
export const routes: Readonly<Record<RouteName, Route>> = {
  live: internal(everyone),
  ready: internal(everyone),
  metrics: internal(operators),
  gosumdb: internal(readers),
  sumdb: { pattern: "/sumdb/*", originPath: "/sumdb", methods: reading, access: readers },
  list: { pattern: "*/@v/list", originPath: "/list", methods: reading, access: readers },
  latest: { pattern: "*/@latest", originPath: "/latest", methods: reading, access: readers },
  info: { pattern: "*.info", originPath: "/info", methods: reading, access: readers },
  mod: { pattern: "*.mod", originPath: "/mod", methods: reading, access: readers },
  zip: { pattern: "*.zip", originPath: "/zip", methods: reading, access: readers },
  page: { pattern: "*", originPath: "/internal", methods: reading, access: readers },
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
