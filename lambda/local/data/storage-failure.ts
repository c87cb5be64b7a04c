import { CodedError } from "../../golang/coded-error.ts";
import { ServedError } from "../../proxy/store/served-error.ts";

const full = "the disk of the data folder is full";
const readOnly = "the data folder cannot be written: it is read-only or belongs to someone else";

/** What an operator is told for what the file system said. Messages never carry the path that Node puts into its own. */
const fileMessages: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: "a file is larger than the file system of the data folder takes",
  EROFS: readOnly,
  EACCES: readOnly,
  EPERM: readOnly,
  EISDIR: "a folder stands in the data folder where a file is needed",
  ENOTDIR: "a file stands in the data folder where a folder is needed",
  EEXIST: "a file stands in the data folder where a folder is needed",
  EMFILE: "too many files are open at once",
  ENFILE: "too many files are open at once",
};

/** The errno name Node gave an error of the file system, such as `"ENOENT"`. */
export function errno(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Turns what the file system threw into "store-failed"; what is an error of ours already stays as it is. */
export function fileFailure(error: unknown): Error {
  if (error instanceof CodedError) return error;
  const message = fileMessages[errno(error) ?? ""] ?? "the data folder cannot be read or written";
  return new ServedError("store-failed", message, { cause: error });
}

/** What people are told of an index that SQLite cannot make sense of. */
export const damagedIndex = "the index in the data folder is damaged: stop modfront and run `modfront reindex`";

/** Primary result codes of https://sqlite.org/rescode.html. */
const sqliteMessages: Readonly<Record<number, string>> = {
  3: readOnly,
  5: "the index in the data folder was busy for too long",
  6: "the index in the data folder was busy for too long",
  8: readOnly,
  11: damagedIndex,
  13: full,
  14: "the index in the data folder cannot be opened",
  26: damagedIndex,
};

/** SQLite's primary result code, or `undefined` when the error is not SQLite's. */
function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** True when SQLite said that the file is not a database, or not a sound one. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === 26;
}

/** True when SQLite gave up waiting for another process. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}

/** Turns what SQLite threw into "store-failed"; what is an error of ours already stays as it is. */
export function indexFailure(error: unknown): Error {
  if (error instanceof CodedError) return error;
  const message = sqliteMessages[resultCode(error) ?? 0] ?? "the index in the data folder cannot be read or written";
  return new ServedError("store-failed", message, { cause: error });
}

/** Runs statements of SQLite; what they throw becomes "store-failed". */
export function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw indexFailure(error);
  }
}
