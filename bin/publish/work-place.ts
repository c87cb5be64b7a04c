import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import type { GitProgram } from "./git-program.ts";

/** Where a folder is in a repository of this machine. */
export interface WorkPlace {
  /** Absolute; what all of its work trees share. */
  readonly repository: string;
  /** The folder that git was asked about, absolute. */
  readonly folder: string;
  /** That folder below the top of the work tree, `""` or `"sub/dir"`; `""` in a repository that has none. */
  readonly directory: string;
  readonly isBare: boolean;
}

/** The real path of a folder. Throws `CodedError` "usage" where it is none. */
export function realFolder(path: string): string {
  try {
    const folder = realpathSync(path);
    if (statSync(folder).isDirectory()) return folder;
  } catch {}
  throw new CodedError("usage", `${printable(JSON.stringify(path), 300)} is no folder`);
}

/**
 * Where the folder, a real path, is in a repository; `undefined` where it is in none.
 *
 * Throws `CodedError` "git" where there is one that git does not read.
 */
export async function findWorkPlace(git: GitProgram, folder: string): Promise<WorkPlace | undefined> {
  // Where there is no trace of a repository git need not be installed.
  if (!isBelowRepository(folder)) return undefined;
  const questions = ["--is-bare-repository", "--is-inside-work-tree", "--git-common-dir", "--show-prefix"];
  const answer = await git.run(["-C", folder, "rev-parse", "--path-format=absolute", ...questions]);
  if (answer.code !== 0 && /not a git repository/.test(answer.complaint)) return undefined;
  if (answer.code !== 0) throw new CodedError("git", `git does not read this repository: ${answer.complaint}`);
  const [bare, inside, repository = "", prefix = "", ...rest] = answer.stdout.split("\n");
  const isBare = bare === "true";
  if (rest.length !== 1 || repository === "" || (!isBare && inside !== "true")) {
    throw new CodedError("usage", "this is a folder of git's own, or one with a name that cannot be published");
  }
  return { repository, folder, directory: prefix.replace(/\/$/, ""), isBare };
}

function isBelowRepository(folder: string): boolean {
  if (existsSync(join(folder, ".git")) || existsSync(join(folder, "HEAD"))) return true;
  const above = dirname(folder);
  return above !== folder && isBelowRepository(above);
}

/** The commit that a work tree is at. Throws `CodedError` "git" where there is none. */
export async function headOf(git: GitProgram, { folder }: WorkPlace): Promise<string> {
  const { code, stdout } = await git.run(["-C", folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (code !== 0) throw new CodedError("git", "this repository has no commit yet");
  return stdout.trim();
}

/** Names of changes that are shown. */
const mostShown = 5;

/**
 * Throws `CodedError` "dirty" where some of the paths (all, without) below the top of the work tree are not as they were
 * committed, files that git neither has nor ignores included.
 */
export async function checkClean(git: GitProgram, place: WorkPlace, paths: readonly string[] = []): Promise<void> {
  const top = place.directory
    .split("/")
    .reduce((folder, name) => (name === "" ? folder : dirname(folder)), place.folder);
  const flags = ["--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=all"];
  const answer = await git.run(["-C", top, "--literal-pathspecs", "status", ...flags, "--", ...paths]);
  if (answer.code !== 0) throw new CodedError("git", `git does not read this work tree: ${answer.complaint}`);
  const changed = answer.stdout.split("\0").filter(Boolean);
  if (changed.length === 0) return;
  const shown = changed.slice(0, mostShown).map((line) => `${line.slice(0, 2)} ${printable(line.slice(3), 200)}`);
  const more = changed.length > mostShown ? [`and ${changed.length - mostShown} more`] : [];
  const why = "the work tree is not as it is committed: commit, or publish a tag with --tag";
  throw new CodedError("dirty", [why, ...shown, ...more].join("\n"));
}
