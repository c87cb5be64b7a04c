import { pseudoVersion } from "../../../lambda/golang/pseudo.ts";
import type { Mark, RepositoryScript } from "../../support/git-repository.ts";

/** What is asked for, and what it is once commits have their hashes. */
export type Query = string | ((id: (mark: Mark) => string) => string);

/**
 * One rule: a repository, and what the go command and modfront are asked about it. By what follows the repository's own module
 * path (`""`, `"/v2"`, `"/sub"`), the versions, branches and hashes; the list is asked for always.
 */
export interface Row {
  readonly rule: string;
  readonly repository: (script: RepositoryScript, path: string) => Readonly<Record<string, readonly Query[]>>;
  /** It takes long, and is left out unless it is asked for. */
  readonly heavy?: true;
}

export function mod(path: string, ...lines: readonly string[]): string {
  return `module ${path}\n\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** The first digits of a commit's hash, all of them by default. */
export function hash(mark: Mark, digits?: number): Query {
  return (id) => id(mark).slice(0, digits);
}

/** The pseudo-version of a commit behind a tag; `seconds` and `digits` make it a wrong one. */
export function pseudo(mark: Mark, base = "", { major = "", seconds = 0, digits = 12 } = {}): Query {
  return (id) => pseudoVersion(major, base, new Date((mark.time + seconds) * 1000), id(mark).slice(0, digits));
}

/** The same with more behind it. */
export function followed(query: Query, suffix: string): Query {
  return (id) => (typeof query === "string" ? query : query(id)) + suffix;
}
