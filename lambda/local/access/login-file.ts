import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CodedError } from "../../golang/coded-error.ts";
import { isMissing, replacePrivateFile } from "./private-file.ts";

/** The tokens of one person, by server (`"https://go.corp.example"`), in a file that nobody else can read. */
export class LoginFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The tokens by server; none when there is no file.
   *
   * Throws `CodedError` "logins-unreadable" for a damaged file, and for one that others may read: a token in it is
   * not a secret any more.
   */
  async read(): Promise<ReadonlyMap<string, string>> {
    try {
      await this.#checkMode();
      return parseLogins(await readFile(this.#path, "utf8"));
    } catch (error) {
      if (isMissing(error)) return new Map();
      if (error instanceof CodedError) throw error;
      throw new CodedError("logins-unreadable", "the file of logins cannot be read", { cause: error });
    }
  }

  /** Keeps the token of a server in place of the one it had. */
  async store(server: string, token: string): Promise<void> {
    const logins = new Map(await this.read()).set(server, token);
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await replacePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(logins), undefined, 1)}\n`);
  }

  async #checkMode(): Promise<void> {
    const { mode } = await stat(this.#path);
    if (process.platform === "win32" || (mode & 0o077) === 0) return;
    throw new CodedError("logins-unreadable", "others may read the file of logins: chmod 600 it, or log in anew");
  }
}

function parseLogins(text: string): ReadonlyMap<string, string> {
  try {
    const entries: [string, unknown][] = Object.entries(JSON.parse(text));
    return new Map(entries.map(([server, token]) => [server, String(token)]));
  } catch (cause) {
    throw new CodedError("logins-unreadable", "the file of logins is damaged: delete it and log in anew", { cause });
  }
}
