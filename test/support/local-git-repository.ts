import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Commit, parseCommit } from "../../lambda/upstream/git/pack/commit.ts";
import { GitFailure } from "../../lambda/upstream/git/pack/git-failure.ts";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../lambda/upstream/git/pack/index-pack.ts";
import type { ObjectFormat } from "../../lambda/upstream/git/pack/object-id.ts";
import type { GitRepository, History } from "../../lambda/upstream/git/repository/git-repository.ts";
import type { RefListing, TagRef } from "../../lambda/upstream/git/repository/ref-listing.ts";
import type { Snapshot } from "../../lambda/upstream/git/repository/snapshot.ts";
import { git } from "./git-repository.ts";

/** A repository in a folder, asked by git itself: what the client of modfront says of one behind a server, without either. */
export class LocalGitRepository implements GitRepository {
  readonly url: string;
  readonly #folder: string;
  readonly #scratch: string;
  readonly #format: ObjectFormat;
  #packs = 0;

  constructor(url: string, folder: string, scratch: string) {
    this.url = url;
    this.#folder = folder;
    this.#scratch = scratch;
    this.#format = this.#git("rev-parse", "--show-object-format").trim() as ObjectFormat;
  }

  async refs(): Promise<RefListing> {
    const heads = new Map<string, string>();
    const tags = new Map<string, TagRef>();
    let head: string | undefined;
    for (const [, id = "", name = ""] of this.#try("show-ref", "--head", "-d").matchAll(/^(\S+) (.+)$/gm)) {
      const tag = name.replace(/^refs\/tags\//, "").replace(/\^\{\}$/, "");
      if (name === "HEAD") head = id;
      else if (name.startsWith("refs/heads/")) heads.set(name.slice("refs/heads/".length), id);
      else if (name.startsWith("refs/tags/")) tags.set(tag, { id: tags.get(tag)?.id ?? id, target: id });
    }
    const branch = this.#try("symbolic-ref", "-q", "--short", "HEAD").trim() || undefined;
    return { objectFormat: this.#format, head: { branch, id: head }, heads, tags };
  }

  async commit(id: string): Promise<Commit> {
    const type = this.#try("cat-file", "-t", id).trim();
    if (type !== "commit") throw new GitFailure(type === "" ? "missing-object" : "wrong-type", `has no commit ${id}`);
    return parseCommit(id, git(this.#folder, ["cat-file", "commit", id]), this.#format);
  }

  async files(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    for (const path of paths) {
      const [, blob] = /^1\d+ blob (\S+)\t/.exec(this.#git("ls-tree", commit, "--", path)) ?? [];
      if (blob !== undefined) found.set(path, git(this.#folder, ["cat-file", "blob", blob]));
    }
    return found;
  }

  async snapshot(id: string): Promise<Snapshot> {
    const commit = await this.commit(id);
    const objects = this.#git("rev-list", "--objects", "--no-walk", "--no-object-names", id);
    const path = join(this.#scratch, `${commit.id}-${this.#packs++}.pack`);
    writeFileSync(path, git(this.#folder, ["pack-objects", "--stdout", "-q"], objects));
    const index = await indexPack(path, { format: this.#format, limits: gitLimits });
    const place = { objectFormat: this.#format, tree: commit.tree, packs: [{ path, index }] };
    return { commit, place, close: () => {} };
  }

  async history({ head, heads, tags }: RefListing): Promise<History> {
    const tips = [...heads.values(), ...[...tags.values()].map(({ target }) => target)];
    if (head.id !== undefined) tips.push(head.id);
    const commits = tips.filter((id) => this.#try("cat-file", "-t", id).trim() === "commit");
    const rows = commits.length === 0 ? "" : this.#git("rev-list", ...new Set(commits));
    const known = new Set(rows.split("\n").filter((row) => row !== ""));
    return {
      commit: async (id) => (known.has(id) ? this.commit(id) : undefined),
      isReachable: async (id) => known.has(id),
      isAncestor: async (ancestor, id) => known.has(ancestor) && this.#isAncestor(ancestor, id),
      ancestorsAmong: async (candidates, id) =>
        new Set([...candidates].filter((each) => known.has(each) && this.#isAncestor(each, id))),
      resolve: async (digits) => {
        const [id, ...more] = [...known].filter((each) => each.startsWith(digits));
        if (more.length > 0) throw new GitFailure("ambiguous", "several commits begin so");
        return id;
      },
    };
  }

  #isAncestor(ancestor: string, id: string): boolean {
    return this.#try("merge-base", ancestor, id).trim() === ancestor;
  }

  #git(...args: readonly string[]): string {
    return git(this.#folder, args).toString();
  }

  /** Nothing where git says no. */
  #try(...args: readonly string[]): string {
    try {
      return this.#git(...args);
    } catch {
      return "";
    }
  }
}
