import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import type { ObjectFormat, ObjectId } from "./object-id.ts";
import { parseTree, type TreeEntry, type TreeFileKind } from "./tree.ts";

/** One path of a commit's tree that is no folder. */
export interface TreeFile {
  /**
   * From the root, with "/" between folders, never empty, absolute, or with "." or ".." or ".git" in it. Bytes that are
   * not UTF-8 are U+FFFD, which no rule of Go lets pass.
   */
  readonly path: string;
  readonly kind: TreeFileKind;
  readonly id: ObjectId;
  /** Bytes of the blob; 0 of a submodule; undefined of a blob that is not there, which a snapshot always has. */
  readonly size: number | undefined;
}

interface WalkOptions {
  readonly format: ObjectFormat;
  readonly limits: GitLimits;
  readonly source: {
    tree(id: ObjectId): Buffer;
    size(id: ObjectId): number | undefined;
  };
  readonly paths: readonly string[] | undefined;
}

interface Folder {
  /** With a slash at its end; empty of the root. */
  readonly path: string;
  readonly entries: Iterator<TreeEntry>;
}

/** The files of a tree in its order; trees are read as they are come to. */
export function* walkTree(root: ObjectId, options: WalkOptions): Generator<TreeFile, void> {
  const { format, limits, source, paths } = options;
  const isWanted = pathFilter(paths);
  const way: Folder[] = [{ path: "", entries: parseTree(source.tree(root), format) }];
  // Folders count too: without, a tree of nothing but the same tree over and over would keep us busy for ever.
  let pathBytes = 0;
  for (let count = 0; way.length > 0; ) {
    const folder = way.at(-1);
    const next = folder?.entries.next();
    if (folder === undefined || next === undefined || next.done) {
      way.pop();
      continue;
    }
    if (++count > 2 * limits.files) throw new GitFailure("too-large", "has too many files");
    const { name, kind, id } = next.value;
    const path = folder.path + name;
    if (path.length > limits.pathBytes) throw new GitFailure("too-large", "has a path that is too long");
    pathBytes += path.length;
    if (pathBytes > limits.allPathBytes) throw new GitFailure("too-large", "has paths that are too long together");
    const wanted = isWanted(path);
    if (wanted === "no" || (wanted === "above" && kind !== "folder")) continue;
    if (kind !== "folder") yield { path, kind, id, size: kind === "submodule" ? 0 : source.size(id) };
    else if (way.length === limits.treeDepth) throw new GitFailure("too-large", "has too many folders in folders");
    else way.push({ path: `${path}/`, entries: parseTree(source.tree(id), format) });
  }
}

/** Whether a path is one of `paths` or lies below ("yes"), or one of them lies below it ("above"). */
function pathFilter(paths: readonly string[] | undefined): (path: string) => "yes" | "above" | "no" {
  if (paths === undefined) return () => "yes";
  return (path) => {
    if (paths.some((wanted) => path === wanted || path.startsWith(`${wanted}/`))) return "yes";
    return paths.some((wanted) => wanted.startsWith(`${path}/`)) ? "above" : "no";
  };
}
