// The rows of the module protocol, which the edge decides about before the cache. The CloudFront behaviours and the HTTP
// API (lib/), the local server and the functions read this one table: a route without a row does not compile. What lies
// under /-/ has its rows in the rooms that answer it (lambda/http/route.ts).

/** The routes of the module protocol. */
export type ProtocolRouteName = "sumdb" | "list" | "latest" | "info" | "mod" | "zip";

/** Whom a request is for: a route of the protocol, or `site` for `/` and everything under `/-/`. */
export type RouteName = ProtocolRouteName | "site";

/**
 * How caches keep the answers of a route: a year as text or as an archive that is compressed already, or a day at most. Those of
 * `short` and of `info` by channel: among the latter are queries, and what is of no channel says so.
 */
export type Keeping = "text" | "info" | "archive" | "short";

/**
 * The CloudFront path patterns under which requests arrive, in the order in which they must be tried: a checksum lookup
 * may end in `.zip`, so `/sumdb/*` comes before the file types. What fits none has the default behaviour, `/` too.
 */
export const patterns: Readonly<Record<RouteName, string>> = {
  site: "/-/*",
  sumdb: "/sumdb/*",
  list: "*/@v/list",
  latest: "*/@latest",
  info: "*.info",
  mod: "*.mod",
  zip: "*.zip",
};

/** Where ID tokens and client certificates are exchanged for tokens, and where it says whose. */
export const tokenAddress = "/-/token";

/** What is published, and yanked, by the path patterns of the behaviours that are before those of the control plane. */
export const publishingPatterns = { publish: "/-/publish/*", yanks: "/-/api/yanks/*" } as const;

export type PublishingName = keyof typeof publishingPatterns;

/** Where hosts tell that a repository has changed: the name of a webhook follows. */
export const webhookPrefix = "/-/webhook/";

/** Functions of the control plane that answer something under `/-/`, by the path pattern of the behaviour that is before `site`. */
export const controlPatterns = { admin: "/-/api/*", token: tokenAddress, webhook: "/-/webhook/*" } as const;

export type ControlName = keyof typeof controlPatterns;

/** What load balancers ask. In front of a deployment the edge says that it is alive, and keeps for some seconds whether it is ready. */
export const probes = { live: "/-/live", ready: "/-/ready" } as const;

/** Where it says what GOSUMDB is set to. */
export const gosumdbAddress = "/-/gosumdb";

export interface ProtocolRoute {
  readonly keeping: Keeping;
  /** The kind of stored file whose key a canonical path of this route is, and which never changes. */
  readonly stored?: "info" | "mod" | "zip";
}

/** The routes of the module protocol. All of them are only read (`readMethods`), by `readers` (permit.ts). */
export const routes: Readonly<Record<ProtocolRouteName, ProtocolRoute>> = {
  sumdb: { keeping: "text" },
  list: { keeping: "short" },
  latest: { keeping: "short" },
  info: { keeping: "info", stored: "info" },
  mod: { keeping: "text", stored: "mod" },
  zip: { keeping: "archive", stored: "zip" },
};

/** The methods of a route that is only read. */
export const readMethods: readonly string[] = ["GET", "HEAD"];

/** Returns the kind of stored file that a path of this route names. */
export function storedKind(route: RouteName): ProtocolRoute["stored"] {
  return route === "site" ? undefined : routes[route].stored;
}

/** True when a path, as it was received, fits a pattern of these. */
export function fitsPattern(pattern: string, path: string): boolean {
  return pattern[0] === "*" ? path.endsWith(pattern.slice(1)) : path.startsWith(pattern.slice(0, -1));
}
