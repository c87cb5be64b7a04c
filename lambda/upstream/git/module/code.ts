import { maxGoMod } from "../../../golang/checked-files.ts";
import { isCodedError } from "../../../golang/coded-error.ts";
import { Absence, unknownRevision } from "../discovery/absence.ts";
import type { Commit } from "../pack/commit.ts";
import type { GitRepository, History } from "../repository/git-repository.ts";
import type { RefListing } from "../repository/ref-listing.ts";

export interface CodeParts {
  /** By which go knows the repository, wherever it is reached. */
  readonly url: string;
  readonly repository: GitRepository;
  readonly refs: RefListing;
  readonly signal?: AbortSignal | undefined;
  /** Has all that a zip of this commit takes fetched at once, where one is wanted. */
  readonly fetchAll?: ((commit: string) => Promise<void>) | undefined;
}

/**
 * A repository as it was at one listing of its refs, for one question.
 *
 * Everything that is asked of it is remembered, so that rules can ask as they need to.
 */
export class Code {
  readonly url: string;
  readonly refs: RefListing;
  readonly #repository: GitRepository;
  readonly #signal: AbortSignal | undefined;
  readonly #fetchAll: CodeParts["fetchAll"];
  readonly #files = new Map<string, Promise<Uint8Array | undefined>>();
  #history: Promise<History> | undefined;

  constructor({ url, repository, refs, signal, fetchAll }: CodeParts) {
    this.url = url;
    this.refs = refs;
    this.#repository = repository;
    this.#signal = signal;
    this.#fetchAll = fetchAll;
  }

  /** The commit with this id. Throws `Absence` for an object that is none, as a tag may have been put on. */
  async commit(id: string, revision: string): Promise<Commit> {
    try {
      return await this.#repository.commit(id, { signal: this.#signal });
    } catch (error) {
      if (isCodedError(error, "wrong-type")) throw unknownRevision(revision);
      throw error;
    }
  }

  /** The same of the commit that the question is about, with whatever else is wanted of it. */
  async subject(id: string, revision: string): Promise<Commit> {
    try {
      await this.#fetchAll?.(id);
    } catch (error) {
      if (isCodedError(error, "wrong-type")) throw unknownRevision(revision);
      throw error;
    }
    return this.commit(id, revision);
  }

  /** A file of a commit up to 16 MiB, as it is stored; `undefined` where there is none. */
  file(commit: string, path: string): Promise<Uint8Array | undefined> {
    const key = `${commit} ${path}`;
    const known = this.#files.get(key) ?? this.#read(commit, path);
    this.#files.set(key, known);
    return known;
  }

  /** The same for the commit that a tag is on. Throws `Absence` where it is on none. */
  async fileOfTag(tag: string, path: string): Promise<Uint8Array | undefined> {
    const commit = await this.commit(this.refs.tags.get(tag)?.target ?? "", tag);
    return this.file(commit.id, path);
  }

  async #read(commit: string, path: string): Promise<Uint8Array | undefined> {
    try {
      const files = await this.#repository.files(commit, [path], { signal: this.#signal, limit: maxGoMod });
      return files.get(path);
    } catch (error) {
      if (isCodedError(error, "too-large")) throw new Absence(`${path} is larger than ${maxGoMod} bytes`);
      throw error;
    }
  }

  /** All commits that HEAD, branches and tags reach. */
  history(): Promise<History> {
    this.#history ??= this.#repository.history(this.refs, { signal: this.#signal });
    return this.#history;
  }

  /** All commits that branches and tags reach: a HEAD that stands on no branch gives its own commit and none before it. */
  publicHistory(): Promise<History> {
    const { head, heads } = this.refs;
    if (head.id === undefined || [...heads.values()].includes(head.id)) return this.history();
    const refs = { ...this.refs, head: { branch: head.branch, id: undefined } };
    return this.#repository.history(refs, { signal: this.#signal });
  }
}
