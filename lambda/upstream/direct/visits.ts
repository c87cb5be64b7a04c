import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { GitFailure } from "../git/pack/git-failure.ts";
import type { UrlRewrites } from "../git/url-rewrites.ts";
import { type Requester, trusting } from "../http/requester.ts";
import { hostAndPort } from "../http/trusted-hosts.ts";
import type { RepositoriesParts } from "../http/upstreams-options.ts";
import { isOwnPlace } from "./own-place.ts";
import { pathsOfPlace } from "./place-paths.ts";

/** How a place is asked on behalf of a module. */
export interface Visit {
  /** Where it is reached. */
  readonly url: URL;
  /** Trusts whom the module may lead to, redirects included. */
  readonly client: Requester;
  readonly isTrusted: (url: URL) => boolean;
  /** True where no credentials are shown. */
  readonly anonymous: boolean;
  /** The same for all visits that trust the same hosts. */
  readonly forWhom: string;
}

export interface VisitsParts extends Pick<RepositoriesParts, "hosts" | "isPrivate" | "borders"> {
  readonly client: Requester;
  readonly rewrites: UrlRewrites;
}

/**
 * Who may be led where. A place is what a page or a module's own path names, and its owner may be anybody.
 *
 * A private module may be led to every host that the configuration names, inside and over plain http, for its own people say
 * where it is. A public module may be a stranger's: it leads inside only to its own host (`Home`), and to `allowHosts`, and shows
 * credentials to its own place alone. What one visit learns (kept answers, connections, redirects, failures) is not for those
 * that trust others.
 *
 * Neither may be led to what is another tenant's by its path: credentials that all share would open it to whoever has the page.
 */
export class Visits {
  readonly #parts: VisitsParts;

  constructor(parts: VisitsParts) {
    this.#parts = parts;
  }

  /**
   * `below` is what the module is called in a repository. Throws `GitFailure` or `UpstreamFailure` for a place that may
   * not be spoken to.
   */
  to(place: string, module: string, below = ""): Visit {
    const { hosts, rewrites, isPrivate, borders } = this.#parts;
    const url = reachable(rewrites.rewrite(place), (to) => hosts.isNamed(to));
    const tenant = borders?.tenantOf(module) ?? "";
    if ([place, ...this.#namesOf(url)].some((name) => this.#isForeign(name, below, tenant))) throw foreign();
    if (isPrivate(module)) {
      const forWhom = tenant === "" ? "private" : `private:${tenant}`;
      return { url, ...this.#trust(tenant, (to) => hosts.has(to)), anonymous: false, forWhom };
    }
    const isOwn = isOwnPlace(place, module);
    const home = this.#home(isOwn ? place : `https://${module}`);
    const isTrusted = (to: URL) => hosts.isAllowed(to) || hostAndPort(to) === home;
    // What is spelled as others are rewritten to would show by another name what may be private by its own.
    const isAlias = !rewrites.has(place) && rewrites.isAlias(url);
    const anonymous = !isOwn || isAlias;
    return { url, ...this.#trust(tenant, isTrusted), anonymous, forWhom: `public:${home ?? ""}` };
  }

  #namesOf(url: URL): readonly string[] {
    return [url.href, ...this.#parts.rewrites.namesOf(url)];
  }

  #isForeign(place: string, below: string, tenant: string): boolean {
    const { borders } = this.#parts;
    return borders !== undefined && pathsOfPlace(place, below).some((path) => borders.isForeign(path, tenant));
  }

  /** Redirects lead over no border either. */
  #trust(tenant: string, isTrusted: (url: URL) => boolean): Pick<Visit, "client" | "isTrusted"> {
    const client = trusting(this.#parts.client, isTrusted);
    const send: Requester["send"] = async (url, options) => {
      if (this.#namesOf(url).some((name) => this.#isForeign(name, "", tenant))) throw foreign();
      return client.send(url, options);
    };
    return { client: { isTrusted, send }, isTrusted };
  }

  /**
   * The host and port of a public module, where the configuration says that it is inside: by a rewrite of its own place, or by a
   * rule that leads modules there to their repositories. A host that is only known for its credentials, or as what others are
   * rewritten to, is nobody's home: its name could else be asked for in place of the private one.
   */
  #home(place: string): string | undefined {
    const { hosts, rewrites } = this.#parts;
    const url = new URL(rewrites.rewrite(place));
    return rewrites.has(place) || hosts.isSpelled(url) ? hostAndPort(url) : undefined;
  }
}

/** Whose it is by its path is all that counts: nobody learns what is there. */
function foreign(): UpstreamFailure {
  return new UpstreamFailure("refused-address", "leads to what another tenant's patterns match");
}

/** What a page names, if it may be spoken to: over https, and over plain http where the configuration says so. */
function reachable(text: string, isNamed: (url: URL) => boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new GitFailure("unsupported", "has no URL that can be read");
  if (url.protocol === "https:" || (url.protocol === "http:" && isNamed(url))) return url;
  const scheme = url.protocol.replace(":", "");
  throw new GitFailure("unsupported", `is to be reached by ${scheme}: git.rewrite can name an https URL for it`);
}
