import { createWriteStream } from "node:fs";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { maxGoMod, maxZipFile } from "../../lambda/golang/checked-files.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { modulePath } from "../../lambda/golang/modfile.ts";
import { escapePath, escapeVersion, matchPathMajor, splitPathVersion } from "../../lambda/golang/module.ts";
import { major } from "../../lambda/golang/semver.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { noCredentials } from "../../lambda/upstream/credentials/credentials.ts";
import { whole } from "../../lambda/upstream/git/attributes/whole.ts";
import { DirectUpstream } from "../../lambda/upstream/git/module/direct-upstream.ts";
import { RefListings } from "../../lambda/upstream/git/module/ref-listings.ts";
import { ThreadZips } from "../../lambda/upstream/git/module/thread-zips.ts";
import { GitFailure } from "../../lambda/upstream/git/pack/git-failure.ts";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { GitRepositories } from "../../lambda/upstream/git/repository/git-repositories.ts";
import type { GitRepository } from "../../lambda/upstream/git/repository/git-repository.ts";
import type { GitProgram } from "./git-program.ts";
import { LocalGit } from "./local-git.ts";
import type { MadeZip } from "./made-zip.ts";
import type { NamedTag } from "./named-version.ts";

/** What the repository is called where `direct` would name a host. */
const place = new URL("http://this-machine/");

/** The entry of a thread, which is compiled where this file is. */
const threadOf = (name: string) =>
  new URL(`../../lambda/upstream/git/${name}${extname(import.meta.url)}`, import.meta.url);

/** The commit that a tag is to be taken to be on, where it is not tagged yet. */
export interface CommittedModule {
  readonly named: NamedTag;
  readonly commit?: string | undefined;
}

/**
 * Makes the zip of a module out of a commit of a repository of this machine, as `direct` makes it of the same tag: it is the
 * same code that does.
 *
 * `folder` is for what is put together, and the zip. Throws `CodedError` "no-tag", "other-tag", "not-published".
 */
export async function zipCommit(
  git: GitProgram,
  repository: string,
  { named, commit }: CommittedModule,
  folder: string,
): Promise<MadeZip & { readonly commit: string }> {
  await using local = new LocalRepository(git, repository, folder);
  const listed = await local.opened.refs({ tagPrefix: named.tag }).catch(rethrown);
  const tagged = listed.tags.get(named.tag)?.target;
  if (commit === undefined && tagged === undefined) {
    throw new CodedError("no-tag", `there is no tag ${printable(named.tag, 200)} in this repository`);
  }
  if (commit !== undefined && tagged !== undefined && commit !== tagged) {
    const why = `the tag ${printable(named.tag, 200)} is on another commit: publish it with --tag, or take another version`;
    throw new CodedError("other-tag", why);
  }
  const id = commit ?? tagged ?? "";
  const seen = commit === undefined ? local.opened : asTagged(local.opened, named.tag, commit);
  try {
    const path = await pathOf(seen, id, named, commit === undefined ? named.tag : "HEAD");
    return { ...(await local.zip(seen, path, named)), commit: id };
  } catch (error) {
    return rethrown(error);
  }
}

/** A repository of this machine, for as long as it takes. */
class LocalRepository implements AsyncDisposable {
  readonly opened: GitRepository;
  readonly #repositories: GitRepositories;
  readonly #zips = new ThreadZips(threadOf("module/zip-thread"));
  readonly #files: FolderTemporaryFiles;
  readonly #folder: string;

  constructor(git: GitProgram, repository: string, folder: string) {
    let names = 0;
    this.#folder = folder;
    this.#files = new FolderTemporaryFiles(folder, () => `git-${names++}`);
    this.#repositories = new GitRepositories({
      client: new LocalGit(git, repository),
      credentials: noCredentials,
      files: this.#files,
      script: threadOf("repository/pack-worker"),
      agent: "modfront",
      now,
    });
    this.opened = this.#repositories.open(place);
  }

  async zip(repository: GitRepository, path: string, { version, directory }: NamedTag): Promise<MadeZip> {
    const direct = this.#direct(repository, path, directory);
    const base = `/${escapePath(path)}/@v/${escapeVersion(version)}`;
    const goMod = await whole((await direct.get(`${base}.mod`, { limit: maxGoMod })).chunks);
    const file = join(this.#folder, "module.zip");
    await pipeline((await direct.get(`${base}.zip`, { limit: maxZipFile })).chunks, createWriteStream(file));
    return { module: { path, version }, file, goMod };
  }

  #direct(repository: GitRepository, path: string, directory: string): DirectUpstream {
    const { prefix, pathMajor } = splitPathVersion(path);
    const root = pathMajor.startsWith("/") ? prefix : path;
    const address = { kind: "git", url: place.href, root, directory } as const;
    return new DirectUpstream({
      discovery: { find: async () => address },
      openRepository: () => repository,
      openProxy: () => {
        throw new Error("a repository of this machine names no proxy");
      },
      listings: new RefListings({ now, freshFor: Number.POSITIVE_INFINITY }),
      zips: this.#zips,
      files: this.#files,
      limits: gitLimits,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zips.close();
    await this.#repositories.close();
  }
}

function now(): number {
  return performance.now();
}

/** The repository as it would be if the commit had the tag. */
function asTagged(repository: GitRepository, tag: string, commit: string): GitRepository {
  return {
    key: repository.key,
    refs: async (options) => {
      const refs = await repository.refs(options);
      return { ...refs, tags: new Map([...refs.tags, [tag, { id: commit, target: commit }]]) };
    },
    commit: (id, options) => repository.commit(id, options),
    files: (id, paths, options) => repository.files(id, paths, options),
    snapshot: (id, options) => repository.snapshot(id, options),
    history: (refs, options) => repository.history(refs, options),
  };
}

/** The path of the module that has this version: its go.mod is in its folder or, from v2 on, in the one of that name within. */
async function pathOf(
  repository: GitRepository,
  commit: string,
  { version, directory }: NamedTag,
  where: string,
): Promise<string> {
  const below = (name: string) => (directory === "" ? name : `${directory}/${name}`);
  const candidates = [below("go.mod"), below(`${major(version)}/go.mod`)];
  const files = await repository.files(commit, candidates, { limit: maxGoMod });
  const paths = candidates.flatMap((name) => files.get(name) ?? []).map(modulePath);
  for (const path of paths) {
    const { pathMajor, ok } = splitPathVersion(path);
    if (path !== "" && ok && matchPathMajor(version, pathMajor)) return path;
  }
  const [first] = paths;
  if (first === undefined)
    throw notPublished(`${below("go.mod")} is not in ${where}: a module without one is not published`);
  if (first === "") throw notPublished(`${below("go.mod")} of ${where} names no module`);
  throw notPublished(`${below("go.mod")} of ${where} is that of ${first}, which has no version ${version}`);
}

function notPublished(why: string): CodedError {
  return new CodedError("not-published", printable(why));
}

/** Says in the CLI's words what reading a repository throws. */
function rethrown(error: unknown): never {
  if (error instanceof UpstreamFailure && error.details?.status === 404 && error.details.text !== undefined) {
    const lines = error.details.text.split("\n").map((line) => printable(line));
    throw new CodedError("not-published", lines.join("\n"), { cause: error });
  }
  if (error instanceof UpstreamFailure)
    throw new CodedError("git", `this repository ${error.message}`, { cause: error });
  if (error instanceof GitFailure) throw new CodedError("git", `this repository ${error.message}`, { cause: error });
  throw error;
}
