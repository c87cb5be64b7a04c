import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { replacePrivateFile } from "../../lambda/local/access/private-file.ts";
import { configFolder, type Machine } from "./config-folder.ts";
import type { Login } from "./login.ts";
import { readLogins } from "./login-file.ts";

/** Milliseconds: longer than any renewal may take. */
const longestWait = 120_000;

/** SQLITE_BUSY. */
const busy = 5;

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
   * ends. Throws `CodedError` "logins-busy" after two minutes, "logins-unwritable" where there can be no lock.
   */
  async alone<Result>(task: () => Promise<Result>): Promise<Result> {
    const lock = this.#lock();
    try {
      return await task();
    } finally {
      lock.close();
    }
  }

  /** The login of a server as it is now. */
  find(server: string): Login | undefined {
    return readLogins(this.#path).get(server);
  }

  /** Keeps a login in place of what the server had. Inside `alone` only. Throws `CodedError` "logins-unwritable". */
  async store(server: string, login: Login): Promise<void> {
    this.#sweep();
    const logins = new Map(readLogins(this.#path)).set(server, login);
    const text = `${JSON.stringify(Object.fromEntries(logins), undefined, 1)}\n`;
    await replacePrivateFile(this.#path, text).catch((cause) => {
      throw unwritable(cause);
    });
  }

  /** Under the lock nobody else is writing: what lies beside the file is of somebody who died there, with tokens in it. */
  #sweep(): void {
    const unfinished = readdirSync(this.#folder).filter((name) => /^logins\.json\.[0-9a-f]{12}$/.test(name));
    for (const name of unfinished) rmSync(join(this.#folder, name), { force: true });
  }

  #lock(): DatabaseSync {
    let lock: DatabaseSync | undefined;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      lock = new DatabaseSync(join(this.#folder, "logins.lock"), { timeout: longestWait });
      lock.exec("BEGIN EXCLUSIVE");
      return lock;
    } catch (cause) {
      lock?.close();
      if ((cause as { errcode?: unknown }).errcode !== busy) throw unwritable(cause);
      throw new CodedError("logins-busy", "another modfront does not let go of the file of logins", { cause });
    }
  }
}

function unwritable(cause: unknown): CodedError<"logins-unwritable"> {
  return new CodedError("logins-unwritable", "the folder of logins cannot be written", { cause });
}
