import { createHash } from "node:crypto";
import type { CommitFiles } from "../../lambda/upstream/git/module/module-files.ts";
import type { Commit } from "../../lambda/upstream/git/pack/commit.ts";
import { GitFailure } from "../../lambda/upstream/git/pack/git-failure.ts";
import type { TreeFile } from "../../lambda/upstream/git/pack/tree-files.ts";
import type { GitRepository, History } from "../../lambda/upstream/git/repository/git-repository.ts";
import type { RefListing, TagRef } from "../../lambda/upstream/git/repository/ref-listing.ts";
import type { Snapshot } from "../../lambda/upstream/git/repository/snapshot.ts";

/** A file's content, or where a link leads. */
export type MemoryContent = string | { readonly link: string };

interface MemoryCommit extends Commit {
  readonly files: ReadonlyMap<string, MemoryContent>;
}

/** A repository that a test writes down, without git. Ids are made up, and the same each time. */
export class MemoryGitRepository implements GitRepository {
  readonly key: string;
  /** What was asked of it: `"refs"`, `"snapshot"`, … */
  readonly calls: string[] = [];
  /** How everything that is asked fails from now on. */
  failure: Error | undefined;
  readonly heads = new Map<string, string>();
  readonly tags = new Map<string, TagRef>();
  /** The id at HEAD; the branch main's while it is `undefined`. */
  detached: string | undefined;
  readonly #commits = new Map<string, MemoryCommit>();

  constructor(key = "https://corp.example/r") {
    this.key = key;
  }

  /** A commit with changed files, on a branch, a minute after the one before. */
  add(
    files: Readonly<Record<string, MemoryContent>>,
    { on = "main", parents }: { on?: string; parents?: readonly string[] } = {},
  ): string {
    const before = this.heads.get(on);
    const from = parents ?? (before === undefined ? [] : [before]);
    const id = digest(`commit ${this.#commits.size}`);
    const inherited = this.#commits.get(from[0] ?? "")?.files ?? new Map();
    const time = 1_600_000_000 + 60 * this.#commits.size;
    this.#commits.set(id, {
      id,
      tree: id,
      parents: from,
      time,
      files: new Map([...inherited, ...Object.entries(files)]),
    });
    this.heads.set(on, id);
    return id;
  }

  tag(name: string, target = this.heads.get("main") ?? ""): void {
    this.tags.set(name, { id: target, target });
  }

  async refs(): Promise<RefListing> {
    this.#call("refs");
    const head = {
      branch: this.detached === undefined ? "main" : undefined,
      id: this.detached ?? this.heads.get("main"),
    };
    return { objectFormat: "sha1", head, heads: new Map(this.heads), tags: new Map(this.tags) };
  }

  async commit(id: string): Promise<Commit> {
    return this.#commitOf(id);
  }

  async files(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    this.#call(`files ${paths.join()}`);
    const { files } = this.#commitOf(commit);
    const found = paths.flatMap((path) => {
      const content = files.get(path);
      return content === undefined ? [] : [[path, bytesOf(content)] as const];
    });
    return new Map(found);
  }

  async snapshot(id: string): Promise<Snapshot> {
    this.#call("snapshot");
    const commit = this.#commitOf(id);
    return {
      commit,
      place: { objectFormat: "sha1", tree: commit.tree, packs: [] },
      close: () => this.calls.push("close"),
    };
  }

  async history({ head, heads, tags }: RefListing): Promise<History> {
    this.#call("history");
    const tips = [head.id ?? "", ...heads.values(), ...[...tags.values()].map(({ target }) => target)];
    const reached = this.#reach(tips);
    return {
      commit: async (id) => (reached.has(id) ? this.#commitOf(id) : undefined),
      isReachable: async (id) => reached.has(id),
      ancestorsAmong: async (candidates, id) => new Set([...candidates].filter((each) => this.#reach([id]).has(each))),
      resolve: async (digits) => {
        const [id, second] = [...reached].filter((each) => each.startsWith(digits));
        if (second !== undefined) throw new GitFailure("ambiguous", "several commits begin so");
        return id;
      },
    };
  }

  /** The files of a snapshot, by its tree. */
  objects(tree: string): CommitFiles {
    const { files } = this.#commitOf(tree);
    const rows = [...files].map(([path, content]): TreeFile & { content: Buffer } => {
      const kind = typeof content === "string" ? "file" : "symlink";
      return {
        path,
        kind,
        id: digest(`${path}\0${JSON.stringify(content)}`),
        size: bytesOf(content).length,
        content: bytesOf(content),
      };
    });
    const blob = (id: string) => rows.find((row) => row.id === id)?.content ?? Buffer.alloc(0);
    return {
      *files(_, paths) {
        for (const row of rows)
          if (paths === undefined || paths.some((path) => row.path === path || row.path.startsWith(`${path}/`)))
            yield row;
      },
      blob,
      async *blobChunks(id) {
        yield blob(id);
      },
    };
  }

  #reach(tips: Iterable<string>): Set<string> {
    const reached = new Set<string>();
    const open = [...tips].filter((id) => this.#commits.has(id));
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (reached.has(id)) continue;
      reached.add(id);
      open.push(...(this.#commits.get(id)?.parents ?? []));
    }
    return reached;
  }

  #commitOf(id: string): MemoryCommit {
    if (this.failure !== undefined) throw this.failure;
    const commit = this.#commits.get(id);
    if (commit === undefined) throw new GitFailure("wrong-type", "has no commit of this id");
    return commit;
  }

  #call(name: string): void {
    this.calls.push(name);
    if (this.failure !== undefined) throw this.failure;
  }
}

function bytesOf(content: MemoryContent): Buffer {
  return Buffer.from(typeof content === "string" ? content : content.link);
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
