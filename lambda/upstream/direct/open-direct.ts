import type { TemporaryFiles } from "../../proxy/store/temporary-files.ts";
import { Discovery } from "../git/discovery/discovery.ts";
import { KnownAddresses } from "../git/discovery/known-addresses.ts";
import { DirectUpstream } from "../git/module/direct-upstream.ts";
import { RefListings } from "../git/module/ref-listings.ts";
import { ThreadZips } from "../git/module/thread-zips.ts";
import { type GitLimits, gitLimits } from "../git/pack/git-limits.ts";
import { GitRepositories } from "../git/repository/git-repositories.ts";
import { type UrlRewrite, UrlRewrites } from "../git/url-rewrites.ts";
import type { OpenRepositories } from "../http/upstreams-options.ts";
import { AbsentRepositories } from "./absent-repositories.ts";
import { HttpPages } from "./http-pages.ts";
import { UnreachableHosts } from "./unreachable-hosts.ts";
import { Visits } from "./visits.ts";

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
    const visits = new Visits({ ...parts, client, rewrites: new UrlRewrites(rewrites) });
    const repositories = new GitRepositories({ client, credentials, files, script: threads.packs, agent, now, limits });
    const pages = new HttpPages({ visits, credentials });
    const discovery = new KnownAddresses(new Discovery(pages), { now, freshFor: addressAge });
    const zips = new ThreadZips(threads.zips);
    const direct = new DirectUpstream({
      discovery,
      openRepository: (place, module, below) => {
        const { url, ...visit } = visits.to(place, module, below);
        return repositories.open(url, visit);
      },
      openProxy: (place, module) => {
        const { url, ...visit } = visits.to(place, module);
        return openProxy(url, visit);
      },
      listings: new RefListings({ now, freshFor: refsAge }),
      zips,
      files,
      limits: { ...gitLimits, ...limits },
    });
    const { isPrivate } = parts;
    const upstream = new AbsentRepositories({ direct, discovery, visits, credentials, isPrivate });
    const close = async () => {
      await zips.close();
      await repositories.close();
    };
    return { upstream, close };
  };
}
