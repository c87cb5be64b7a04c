import type { AccessSettings } from "../edge/access-settings.ts";
import { denial, operators, readers } from "../edge/permit.ts";
import { readMethods } from "../edge/routes.ts";
import type { Identity } from "../edge/token.ts";
import { exampleOfPattern, splitPatterns } from "../golang/module-pattern.ts";
import type { HttpHandler } from "../http/handler.ts";
import type { Route } from "../http/route.ts";
import type { ModuleCatalogue } from "../proxy/store/module-catalogue.ts";
import { renderPage } from "./page.ts";
import { surveyModules } from "./survey.ts";

export interface PageParts {
  readonly catalogue: ModuleCatalogue;
  readonly access: AccessSettings;
  /** Where this server is reached when a request does not say: `"http://127.0.0.1:8080"`. */
  readonly address: () => string;
  /** What GOSUMDB must be when Go's own default does not do. */
  readonly gosumdb: string | undefined;
  /** The line of our own checksum database, where there is one. */
  readonly ownLog?: string | undefined;
}

/** `/`: the page, as a row of the site. */
export function pageRoutes(parts: PageParts): readonly Route[] {
  return [
    {
      name: "page",
      address: "/",
      methods: readMethods,
      access: readers,
      output: { contentType: "text/html; charset=utf-8", about: "The page: how to use this, and what is stored." },
      handler: page(parts),
    },
  ];
}

/** What this is, how to use it and what is stored, as far as whoever asks may see it. */
export function page({ catalogue, access, address, gosumdb, ownLog }: PageParts): HttpHandler {
  return async ({ headers, query, identity }) => {
    const wanted = searched(query);
    return renderPage({
      address: ownAddress(headers.host, address()),
      needsToken: access.anonymous === "none" || (access.anonymous === "public" && access.private !== ""),
      privatePatterns: mayKnowPatterns(access, identity) ? knownPatterns(access, readable(access, identity)) : [],
      metrics: denial(operators, access, identity, undefined) === undefined,
      gosumdb,
      ownLog,
      query: wanted,
      survey: await surveyModules(catalogue, { query: wanted, mayRead: readable(access, identity) }),
    });
  };
}

/** A module is shown to those who would be served its list. */
function readable(access: AccessSettings, identity: Identity): (module: string) => boolean {
  return (module) => denial(readers, access, identity, module) === undefined;
}

/** The private patterns but those of tenants whose modules the reader may not see. */
function knownPatterns(access: AccessSettings, mayRead: (module: string) => boolean): readonly string[] {
  const owned = new Set(Object.values(access.tenants ?? {}).flatMap(splitPatterns));
  const isKnown = (pattern: string) => !owned.has(pattern) || mayRead(exampleOfPattern(pattern) ?? "");
  return splitPatterns(access.private).filter(isKnown);
}

/** The patterns tell what an organisation calls its private code. */
function mayKnowPatterns(access: AccessSettings, identity: Identity): boolean {
  return access.anonymous === "all" || identity.role !== "anonymous";
}

function searched(query: string | undefined): string {
  return (new URLSearchParams(query).get("q") ?? "").trim().slice(0, 256);
}

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

/**
 * Returns the address with the host by which the reader came, which may be a name that this server knows nothing of.
 *
 * The header is whatever the client sends: only a plain host name or address with a port is taken.
 */
export function ownAddress(host: string | undefined, configured: string): string {
  if (host === undefined || !hostPattern.test(host)) return configured;
  const candidate = `${new URL(configured).protocol}//${host.toLowerCase()}`;
  return URL.canParse(candidate) ? candidate : configured;
}
