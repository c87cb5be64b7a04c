import { GitFailure } from "../git/pack/git-failure.ts";
import type { UrlRewrites } from "../git/url-rewrites.ts";
import { type Requester, trusting } from "../http/requester.ts";
import { hostAndPort } from "../http/trusted-hosts.ts";
import type { RepositoriesParts } from "../http/upstreams-options.ts";
import { isOwnPlace } from "./own-place.ts";

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

export interface VisitsParts extends Pick<RepositoriesParts, "hosts" | "isPrivate"> {
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
 */
export class Visits {
  readonly #parts: VisitsParts;

  constructor(parts: VisitsParts) {
    this.#parts = parts;
  }

  /** Throws `GitFailure` or `UpstreamFailure` for a place that may not be spoken to. */
  to(place: string, module: string): Visit {
    const { hosts, rewrites, isPrivate, client } = this.#parts;
    const url = reachable(rewrites.rewrite(place), (to) => hosts.isNamed(to));
    if (isPrivate(module))
      return { url, ...trust(client, (to) => hosts.has(to)), anonymous: false, forWhom: "private" };
    const isOwn = isOwnPlace(place, module);
    const home = this.#home(isOwn ? place : `https://${module}`);
    const isTrusted = (to: URL) => hosts.isAllowed(to) || hostAndPort(to) === home;
    // What is spelled as others are rewritten to would show by another name what may be private by its own.
    const isAlias = !rewrites.has(place) && rewrites.isAlias(url);
    return { url, ...trust(client, isTrusted), anonymous: !isOwn || isAlias, forWhom: `public:${home ?? ""}` };
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

function trust(client: Requester, isTrusted: (url: URL) => boolean): Pick<Visit, "client" | "isTrusted"> {
  return { client: trusting(client, isTrusted), isTrusted };
}

/** What a page names, if it may be spoken to: over https, and over plain http where the configuration says so. */
function reachable(text: string, isNamed: (url: URL) => boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new GitFailure("unsupported", "has no URL that can be read");
  if (url.protocol === "https:" || (url.protocol === "http:" && isNamed(url))) return url;
  const scheme = url.protocol.replace(":", "");
  throw new GitFailure("unsupported", `is to be reached by ${scheme}: git.rewrite can name an https URL for it`);
}
