import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { isMissing, replacePrivateFile } from "../../lambda/local/access/private-file.ts";
import type { Terminal } from "./verb.ts";

/** What the last check of a log kept: its verifier key, and the signed head that all was checked under. */
export interface KeptHead {
  readonly key: string;
  readonly note: string;
}

/** The heads that checks keep, by the name of the log, in the state folder of whoever runs this. */
export class KeptHeads {
  readonly #folder: string;

  constructor({ environment }: Terminal) {
    const { XDG_STATE_HOME, LOCALAPPDATA, HOME } = environment;
    const state = XDG_STATE_HOME || LOCALAPPDATA || join(HOME || homedir(), ".local", "state");
    this.#folder = join(state, "modfront", "logs");
  }

  /** Throws `CodedError` "head-unreadable": without it nobody could tell whether the log was changed. */
  async read(name: string): Promise<KeptHead | undefined> {
    const path = this.#path(name);
    try {
      const { key, note } = JSON.parse(await readFile(path, "utf8"));
      return { key: String(key), note: String(note) };
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw new CodedError("head-unreadable", `the head of the last check cannot be read: look at ${path}`, { cause });
    }
  }

  async keep(name: string, head: KeptHead): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replacePrivateFile(this.#path(name), `${JSON.stringify(head)}\n`);
  }

  #path(name: string): string {
    return join(this.#folder, `${encodeURIComponent(name)}.json`);
  }
}
