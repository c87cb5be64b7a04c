import { CodedError } from "../../lambda/golang/coded-error.ts";
import { pathsOfModule } from "../../lambda/upstream/git/module/module-files.ts";
import type { ApiReport } from "./api-report.ts";
import { zipCommit } from "./committed-module.ts";
import { GitProgram } from "./git-program.ts";
import { type ModuleArchive, readArchive } from "./module-archive.ts";
import { zipFolder } from "./module-folder.ts";
import { parseTag, parseVersion } from "./named-version.ts";
import { checkClean, findWorkPlace, headOf, realFolder, type WorkPlace } from "./work-place.ts";

/** What is to be published: a folder as a version, or what a tag is on. */
export interface Wanted {
  readonly directory: string;
  readonly version?: string | undefined;
  readonly tag?: string | undefined;
}

/** What can be published, and out of which commit by which tag. */
export interface Publication extends ModuleArchive {
  readonly tag?: string | undefined;
  readonly commit?: string | undefined;
  /** How its API compares with that of the release before, where somebody looked. */
  readonly api?: ApiReport | undefined;
}

/**
 * Makes what is to be published, in a folder of its own (`output`).
 *
 * Out of a repository it is always what was committed, made as `direct` makes it. Throws `CodedError` "usage", "dirty", "git",
 * "no-tag", "other-tag", "not-published".
 */
export async function makePublication(
  wanted: Wanted,
  environment: Readonly<Record<string, string | undefined>>,
  output: string,
): Promise<Publication> {
  const { version, tag } = wanted;
  if ((version === undefined) === (tag === undefined))
    throw new CodedError("usage", "either --version or --tag says what is published");
  const folder = realFolder(wanted.directory);
  const git = new GitProgram(environment);
  const place = await findWorkPlace(git, folder);
  if (tag !== undefined) return publishTag(git, place, tag, output);
  const parsed = parseVersion(version ?? "");
  if (place === undefined) return readArchive(await zipFolder(folder, parsed, output));
  return publishHead(git, place, parsed, output);
}

async function publishTag(
  git: GitProgram,
  place: WorkPlace | undefined,
  tag: string,
  output: string,
): Promise<Publication> {
  if (place === undefined) throw new CodedError("usage", "--tag is for a folder in a git repository");
  const named = parseTag(tag, place.directory);
  const { commit, ...made } = await zipCommit(git, place.repository, { named }, output);
  return { ...(await readArchive(made)), tag: named.tag, commit };
}

async function publishHead(git: GitProgram, place: WorkPlace, version: string, output: string): Promise<Publication> {
  if (place.isBare) throw new CodedError("usage", "this repository has no work tree: publish a tag with --tag");
  const named = parseTag(version, place.directory);
  await checkClean(git, place, pathsOfModule(named.directory));
  const commit = await headOf(git, place);
  const { commit: _, ...made } = await zipCommit(git, place.repository, { named, commit }, output);
  return { ...(await readArchive(made)), commit };
}
