import type { TemporaryFiles } from "../../proxy/store/temporary-files.ts";
import { Discovery } from "../git/discovery/discovery.ts";
import { KnownAddresses } from "../git/discovery/known-addresses.ts";
import { DirectUpstream } from "../git/module/direct-upstream.ts";
import { RefListings } from "../git/module/ref-listings.ts";
import { ThreadZips } from "../git/module/thread-zips.ts";
import { GitFailure } from "../git/pack/git-failure.ts";
import { type GitLimits, gitLimits } from "../git/pack/git-limits.ts";
import { GitRepositories } from "../git/repository/git-repositories.ts";
import { type UrlRewrite, UrlRewrites } from "../git/url-rewrites.ts";
import type { OpenRepositories } from "../http/upstreams-options.ts";
import { AbsentRepositories } from "./absent-repositories.ts";
import { HttpPages } from "./http-pages.ts";
import { isOwnPlace } from "./own-place.ts";
import { UnreachableHosts } from "./unreachable-hosts.ts";

/** The entries of the threads of `direct`: files of lambda/upstream/git, or their bundles. */
export interface DirectThreads {
  /** Works on packfiles. */
  readonly packs: URL;
  /** Makes zips of modules. */
  readonly zips: URL;
}

export interface DirectOptions {
  readonly rewrites: readonly UrlRewrite[];
  /** Where packfiles and zips are put together. */
  readonly files: TemporaryFiles;
  readonly threads: DirectThreads;
  /** modfront and its version: `"modfront/1.2.3"`. */
  readonly agent: string;
  readonly limits?: Partial<GitLimits>;
}

/** Milliseconds for which the refs of a repository are good: so that a list, a latest and what they ask for are one listing. */
const refsAge = 5_000;

/** Milliseconds for which it is good where a module is: its info, go.mod and zip are asked for one after the other. */
const addressAge = 60_000;

/** Makes the place `direct` of chains: modules straight from their repositories. */
export function openDirect({ rewrites, files, threads, agent, limits = {} }: DirectOptions): OpenRepositories {
  return ({ credentials, openProxy, now, ...parts }) => {
    const client = new UnreachableHosts(parts.client, now);
    const rewriting = new UrlRewrites(rewrites);
    const repositories = new GitRepositories({ client, credentials, files, script: threads.packs, agent, now, limits });
    const reach = (url: string) => reachable(rewriting.rewrite(url), (to) => parts.isNamed(to));
    const { isPrivate } = parts;
    const isAnonymous = (url: string, module: string) => !isPrivate(module) && !isOwnPlace(url, module);
    const pages = new HttpPages({ client, credentials, rewrites: rewriting });
    const discovery = new KnownAddresses(new Discovery(pages), { now, freshFor: addressAge });
    const zips = new ThreadZips(threads.zips);
    const direct = new DirectUpstream({
      discovery,
      openRepository: (url, module) => repositories.open(reach(url), { anonymous: isAnonymous(url, module) }),
      openProxy: (url, module) => openProxy(reach(url), { anonymous: isAnonymous(url, module) }),
      listings: new RefListings({ now, freshFor: refsAge }),
      zips,
      files,
      limits: { ...gitLimits, ...limits },
    });
    const upstream = new AbsentRepositories({ direct, discovery, reach, client, credentials, isPrivate, isAnonymous });
    const close = async () => {
      await zips.close();
      await repositories.close();
    };
    return { upstream, close };
  };
}

/** What a page names, if it may be spoken to: over https, and over plain http where the configuration says so. */
function reachable(text: string, isNamed: (url: URL) => boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new GitFailure("unsupported", "has no URL that can be read");
  if (url.protocol === "https:" || (url.protocol === "http:" && isNamed(url))) return url;
  const scheme = url.protocol.replace(":", "");
  throw new GitFailure("unsupported", `is to be reached by ${scheme}: git.rewrite can name an https URL for it`);
}
