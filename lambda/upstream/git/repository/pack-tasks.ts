import { type Commit, parseCommit } from "../pack/commit.ts";
import { CommitCollector, type CommitGraph } from "../pack/commit-graph.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { indexPack } from "../pack/index-pack.ts";
import { type ObjectFormat, type ObjectId, objectTypes } from "../pack/object-id.ts";
import { Objects, type PackPlace } from "../pack/objects.ts";
import type { PackIndex } from "../pack/pack-index.ts";

// What is done with packfiles in a thread. Every task is plain data, and so is what it comes to.

interface Place {
  readonly format: ObjectFormat;
  readonly limits: GitLimits;
  /** Packfiles that were verified before. */
  readonly packs: readonly PackPlace[];
}

/** Each task and what it comes to. */
export interface PackTasks {
  /** Verifies a new packfile, and holds that it has `commit` with what is `needed` of it, together with `packs`. */
  readonly receive: {
    readonly task: Place & {
      readonly path: string;
      readonly check: {
        readonly commit: ObjectId;
        readonly needed: "commit" | "trees" | "files";
        readonly paths?: readonly string[];
      };
    };
    readonly result: { readonly index: PackIndex; readonly commit: Commit };
  };
  /** The blobs of a tree's plain files at or below some paths that are not here; `undefined` when they are more than `most`. */
  readonly missing: {
    readonly task: Place & { readonly tree: ObjectId; readonly paths: readonly string[]; readonly most: number };
    readonly result: { readonly blobs: readonly ObjectId[] | undefined };
  };
  /** The content of some plain files of a tree, one by one; `undefined` of a path that has none. */
  readonly read: {
    readonly task: Place & { readonly tree: ObjectId; readonly paths: readonly string[]; readonly limit: number };
    readonly result: readonly (Uint8Array | undefined)[];
  };
  /** The commits of a new packfile together with those that were known. */
  readonly graph: {
    readonly task: Place & { readonly path: string; readonly older: CommitGraph; readonly isShallow: boolean };
    readonly result: { readonly graph: CommitGraph; readonly others: readonly ObjectId[] };
  };
}

type Task<Name extends keyof PackTasks> = PackTasks[Name]["task"];
type Result<Name extends keyof PackTasks> = PackTasks[Name]["result"];

/** Ids of objects in a packfile of commits that are none and that are remembered as such. */
const mostOthers = 10_000;

export const packTasks: { readonly [Name in keyof PackTasks]: (task: Task<Name>) => Promise<Result<Name>> } = {
  async receive({ path, format, limits, packs, check }) {
    const index = await withObjects({ format, limits, packs }, (older) =>
      indexPack(path, { format, limits, outside: (id) => older.readAny(id) }),
    );
    return withObjects({ format, limits, packs: [{ path, index }, ...packs] }, async (objects) => {
      const commit = parseCommit(check.commit, objects.read(check.commit, objectTypes.commit), format);
      if (check.needed !== "commit") checkFiles(objects, commit.tree, check.needed, check.paths);
      return { index, commit };
    });
  },

  async missing({ format, limits, packs, tree, paths, most }) {
    return withObjects({ format, limits, packs }, async (objects) => {
      const blobs = new Set<ObjectId>();
      for (const { kind, id, size } of objects.files(tree, paths)) {
        if (kind !== "submodule" && size === undefined) blobs.add(id);
        if (blobs.size > most) return { blobs: undefined };
      }
      return { blobs: [...blobs] };
    });
  },

  async read({ format, limits, packs, tree, paths, limit }) {
    return withObjects({ format, limits, packs }, async (objects) => {
      const ids = new Map<string, ObjectId>();
      for (const { path, kind, id } of objects.files(tree, paths)) {
        if (kind !== "submodule" && paths.includes(path)) ids.set(path, id);
      }
      return paths.map((path) => {
        const id = ids.get(path);
        return id === undefined ? undefined : Uint8Array.from(objects.blob(id, limit));
      });
    });
  },

  async graph({ path, format, limits, older, isShallow }) {
    const commits = new CommitCollector(format, limits.commits);
    const others: ObjectId[] = [];
    await indexPack(path, {
      format,
      limits,
      visit: (type, id, data) => {
        if (type === objectTypes.commit) commits.add(id, data);
        else if (others.length < mostOthers) others.push(Buffer.from(id).toString("hex"));
      },
    });
    return { graph: commits.build(older, isShallow), others };
  },
};

async function withObjects<T>({ format, packs, limits }: Place, work: (objects: Objects) => Promise<T>): Promise<T> {
  const objects = new Objects({ objectFormat: format, packs }, limits);
  try {
    return await work(objects);
  } finally {
    objects.close();
  }
}

/** Walks all trees, and holds that every file is there. */
function checkFiles(
  objects: Objects,
  tree: ObjectId,
  needed: "trees" | "files",
  paths: readonly string[] | undefined,
): void {
  for (const { size } of objects.files(tree, paths)) {
    if (needed === "files" && size === undefined) {
      throw new GitFailure("missing-object", "did not send a file of the commit that was asked for");
    }
  }
}

/** What `postMessage` may take away instead of copying. */
export function transferable(result: Result<keyof PackTasks>): ArrayBuffer[] {
  const arrays = Array.isArray(result)
    ? result
    : Object.values("graph" in result ? result.graph : "index" in result ? result.index : {});
  return arrays.filter((each) => ArrayBuffer.isView(each)).map((each) => each.buffer as ArrayBuffer);
}
