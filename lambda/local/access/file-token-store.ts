import { type FileHandle, mkdir, open, readFile, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { emptyTokenState, type TokenState, type TokenStatePlace } from "../../access/token-state.ts";
import type { Note } from "../../access/token-store.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { isMissing, replacePrivateFile } from "./private-file.ts";

/** How long a writer waits for another: 100 times 50 ms. A change takes a millisecond or two. */
const attempts = 100;
const pause = 50;

/** The state of tokens in one file that only its owner can read, by convention `<data>/access.json`. */
export class FileTokenStore implements TokenStatePlace {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<TokenState> {
    try {
      return parseTokenState(await readFile(this.#path, "utf8"));
    } catch (error) {
      if (isMissing(error)) return emptyTokenState;
      if (error instanceof CodedError) throw error;
      throw new CodedError("tokens-unreadable", "the file of tokens cannot be read", { cause: error });
    }
  }

  async update<Result>(change: (state: TokenState) => readonly [TokenState, Result], note?: Note): Promise<Result> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const lock = await this.#lock();
    try {
      const [state, result] = change(await this.read());
      await note?.();
      await replacePrivateFile(this.#path, JSON.stringify(state, undefined, 1));
      return result;
    } finally {
      await lock.close();
      await rm(`${this.#path}.lock`, { force: true });
    }
  }

  /** Other processes are kept out by a file that only one can create. */
  async #lock(): Promise<FileHandle> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const lock = await openNew(`${this.#path}.lock`);
      if (lock !== undefined) return lock;
      await sleep(pause);
    }
    const name = `${basename(this.#path)}.lock`;
    throw new CodedError(
      "tokens-locked",
      `another process changes the tokens; if it died at it, delete ${name} in the data folder`,
    );
  }
}

/**
 * Reads the text of the file; throws `CodedError` "tokens-unreadable" unless it has the three parts of a `TokenState`.
 */
export function parseTokenState(text: string): TokenState {
  const state = parseJson(text);
  if (Array.isArray(state?.keys) && Array.isArray(state.identityKeys) && Array.isArray(state.tokens)) return state;
  throw new CodedError("tokens-unreadable", "the file of tokens is damaged: restore it, or delete it to start anew");
}

function parseJson(text: string): TokenState | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function openNew(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined;
    throw new CodedError("tokens-unwritable", "the file of tokens cannot be written", { cause: error });
  }
}
