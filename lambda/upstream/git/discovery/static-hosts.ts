import { Absence } from "./absence.ts";
import { otherSystem } from "./other-systems.ts";
import type { RepositoryAddress } from "./repository-address.ts";

// vcsPaths of cmd/go/internal/vcs/vcs.go: hosts and paths that say where the repository is, so that nobody is asked.

interface Host {
  readonly prefix: string;
  /** The path of a repository, from the host on; elements of a package may follow. */
  readonly root: RegExp;
  readonly system?: string;
  /** `r` and `r.git` are the same repository there, so that only one may be the name of a module. */
  readonly refusesSuffix?: boolean;
}

const hosts: readonly Host[] = [
  { prefix: "github.com", root: /^github\.com\/[\w.-]+\/[\w.-]+(?=\/|$)/, refusesSuffix: true },
  { prefix: "bitbucket.org", root: /^bitbucket\.org\/[\w.-]+\/[\w.-]+(?=\/|$)/, refusesSuffix: true },
  { prefix: "hub.jazz.net/git", root: /^hub\.jazz\.net\/git\/[a-z0-9]+\/[\w.-]+(?=\/|$)/, refusesSuffix: true },
  { prefix: "git.apache.org", root: /^git\.apache\.org\/[a-z0-9_.-]+\.git(?=\/|$)/ },
  { prefix: "git.openstack.org", root: /^git\.openstack\.org\/[\w.-]+\/[\w.-]+(?=\/|$)/ },
  { prefix: "chiselapp.com", root: /^chiselapp\.com\/user\/[A-Za-z0-9]+\/repository\/[\w.-]+$/, system: "fossil" },
];

/**
 * Where the module's repository is if its path says so: on a host that is known, or behind an element that ends in `.git`.
 *
 * `undefined` where a page must be asked. Throws `Absence` for a path that such a host cannot have.
 */
export function staticAddress(path: string): RepositoryAddress | undefined {
  const host = hosts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  return host === undefined ? suffixedAddress(path) : addressOn(host, path);
}

function addressOn({ prefix, root, system = "git", refusesSuffix }: Host, path: string): RepositoryAddress {
  const found = root.exec(path)?.[0];
  const rest = found === undefined ? "" : path.slice(found.length);
  if (found === undefined || !/^[\w./-]*$/.test(rest)) throw new Absence(`invalid ${prefix} import path "${path}"`);
  if (system !== "git") throw otherSystem(path, system);
  if (refusesSuffix && /\.(?:hg|git|svn|bzr|fossil)$/.test(found)) {
    throw new Absence(`invalid version control suffix in ${prefix}/ path`);
  }
  return { kind: "git", url: `https://${found}`, root: found, directory: "" };
}

/** The first element that ends in the name of a version control system; the URL goes without that. */
function suffixedAddress(path: string): RepositoryAddress | undefined {
  const [host = "", ...elements] = path.split("/");
  if (!/\.[a-z0-9.-]/.test(host) || !elements.every((element) => /^~?[\w.-]+$/.test(element))) return undefined;
  const at = elements.findIndex((element) => /[\w.-]\.(?:bzr|fossil|git|hg|svn)$/.test(element));
  if (at < 0) return undefined;
  const root = [host, ...elements.slice(0, at + 1)].join("/");
  const system = root.slice(root.lastIndexOf(".") + 1);
  if (system !== "git") throw otherSystem(path, system);
  return { kind: "git", url: `https://${root.slice(0, -".git".length)}`, root, directory: "" };
}
