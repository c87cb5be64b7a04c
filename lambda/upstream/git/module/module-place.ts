import { pathMajorPrefix, splitPathVersion } from "../../../golang/module.ts";
import { Absence } from "../discovery/absence.ts";

/** Where a repository begins in the tree of module paths. */
export interface RepositoryRoot {
  /** The module path of the repository's root: `"example.com/repo"`. */
  readonly root: string;
  /** The folder that the root stands for, `""` unless a page says otherwise. */
  readonly directory: string;
}

/** Where a module is in its repository. */
export interface ModulePlace {
  readonly path: string;
  readonly root: string;
  /** The folder of the module, `""` or `"sub/dir"`, without the `v2` that it may have within. */
  readonly directory: string;
  /** What its tags begin with: `""` or `"sub/dir/"`. */
  readonly tagPrefix: string;
  /** `""`, `"/v2"`, `".v2"`. */
  readonly pathMajor: string;
  /** What its versions begin with: `""` for v0 and v1, `"v2"`. */
  readonly major: string;
  /** The path without its major version, in texts. */
  readonly pathPrefix: string;
}

/**
 * Where the module with this path is in a repository (newCodeRepo of cmd/go/internal/modfetch/coderepo.go).
 *
 * Throws `Absence` when it cannot be there.
 */
export function modulePlace({ root, directory: rootDirectory }: RepositoryRoot, path: string): ModulePlace {
  if (!hasPathPrefix(path, root)) throw new Absence(`mismatched repo: found ${root} for ${path}`);
  const { prefix, pathMajor, ok } = splitPathVersion(path);
  if (!ok) throw new Absence(`invalid module path "${path}"`);
  // A page may name the whole path, major version and all, as a repository's root.
  if (root !== path && !hasPathPrefix(prefix, root)) {
    throw new Absence(`repository rooted at ${root} cannot contain module ${path}`);
  }
  const below = root === path ? "" : prefix.slice(root.length).replace(/^\//, "");
  const directory = [below, rootDirectory].filter((part) => part !== "").join("/");
  return {
    path,
    root,
    directory,
    tagPrefix: directory === "" ? "" : `${directory}/`,
    pathMajor,
    major: pathMajorPrefix(pathMajor),
    pathPrefix: root === path ? path : prefix,
  };
}

/** Reports whether `path` is `prefix` or goes on from it with a slash. */
export function hasPathPrefix(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
