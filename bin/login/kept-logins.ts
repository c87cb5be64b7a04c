import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { replacePrivateFile } from "../../lambda/local/access/private-file.ts";
import { configFolder, type Machine } from "./config-folder.ts";
import type { Login } from "./login.ts";
import { readLogins } from "./login-file.ts";

/** Milliseconds: longer than any renewal may take. */
const longestWait = 120_000;

/** A file of logins that one process at a time changes. */
export class KeptLogins {
  readonly #folder: string;
  readonly #path: string;

  constructor(machine: Machine) {
    this.#folder = configFolder(machine);
    this.#path = join(this.#folder, "logins.json");
  }

  /**
   * Runs a task while no other process runs one.
   *
   * The lock is the operating system's on a file that stays empty (SQLite's): it ends with the process, however that
   * ends.
   */
  async alone<Result>(task: () => Promise<Result>): Promise<Result> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(join(this.#folder, "logins.lock"), { timeout: longestWait });
    try {
      lock.exec("BEGIN EXCLUSIVE");
      return await task();
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode !== busy) throw error;
      throw new CodedError("logins-busy", "another modfront does not let go of the file of logins");
    } finally {
      lock.close();
    }
  }

  /** The login of a server as it is now. */
  find(server: string): Login | undefined {
    return readLogins(this.#path).get(server);
  }

  /** Keeps a login in place of what the server had. Inside `alone` only. */
  async store(server: string, login: Login): Promise<void> {
    const logins = new Map(readLogins(this.#path)).set(server, login);
    await replacePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(logins), undefined, 1)}\n`);
  }
}

/** SQLITE_BUSY. */
const busy = 5;
