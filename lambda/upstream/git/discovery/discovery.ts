import { isCodedError } from "../../../golang/coded-error.ts";
import { checkPath } from "../../../golang/module.ts";
import { printable } from "../../../golang/shown-text.ts";
import { inTurns } from "../../../proxy/store/in-turns.ts";
import { Absence } from "./absence.ts";
import { type GoImport, goImports, matchingImport } from "./go-import.ts";
import { MarkupError } from "./markup.ts";
import { otherSystem } from "./other-systems.ts";
import type { RepositoryAddress } from "./repository-address.ts";
import { staticAddress } from "./static-hosts.ts";

/** A page, whatever its status. */
export interface Page {
  readonly status: number;
  /** The beginning, a character for each byte. */
  readonly text: string;
}

/** Fetches pages of hosts that nobody vouches for. */
export interface Pages {
  /** GETs `https://<path>?go-get=1` on behalf of a module at or below it. Throws `UpstreamFailure`, or the signal's reason. */
  get(path: string, module: string, signal?: AbortSignal): Promise<Page>;
}

/** Finds repositories, as RepoRootForImportPath of cmd/go/internal/vcs/vcs.go does. */
export class Discovery {
  readonly #pages: Pages;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /**
   * Where the versions of the module are. What a page says is not checked further than that it is a URL.
   *
   * Throws `Absence` where nothing says so, and what `Pages` throws.
   */
  async find(path: string, signal?: AbortSignal): Promise<RepositoryAddress> {
    const address = staticAddress(path);
    if (address !== undefined) return address;
    const found = await this.#ask(path, path, signal);
    if (found.prefix !== path) await this.#confirm(found, path, signal);
    return addressOf(found, path);
  }

  async #ask(asked: string, path: string, signal: AbortSignal | undefined): Promise<GoImport> {
    const { status, text } = await this.#pages.get(asked, path, signal);
    try {
      const imports = await inTurns(goImports(text));
      if (imports.length === 0 && status !== 200) throw new Absence(`reading ${asked}?go-get=1: answered ${status}`);
      return matchingImport(imports, path);
    } catch (error) {
      if (!(error instanceof MarkupError)) throw error;
      throw new Absence(`parsing ${asked}?go-get=1: ${error.message}`);
    }
  }

  /** Whoever has a page below may not say where all of the host's modules are: the page of the prefix must say the same. */
  async #confirm(found: GoImport, path: string, signal: AbortSignal | undefined): Promise<void> {
    const disagree = new Absence(`${path} and ${printable(found.prefix, 200)} disagree about go-import`);
    try {
      checkPath(found.prefix);
      const other = await this.#ask(found.prefix, path, signal);
      const same = (["prefix", "system", "root", "directory"] as const).every((field) => other[field] === found[field]);
      if (!same) throw disagree;
    } catch (error) {
      throw isCodedError(error, "absent", "invalid-module-path") ? disagree : error;
    }
  }
}

function addressOf({ prefix, system, root, directory }: GoImport, path: string): RepositoryAddress {
  checkDirectory(directory, path);
  checkUrl(root, path);
  if (system === "mod") return { kind: "proxy", url: root };
  if (system !== "git") throw otherSystem(path, system);
  return { kind: "git", url: root, root: prefix, directory };
}

/** go only refuses a leading slash or hyphen; what else is refused here is no folder of a module. */
function checkDirectory(directory: string, path: string): void {
  const isFolder = directory.split("/").every((element) => /^[\w.~][-\w.~+]*$/.test(element) && !/^\.+$/.test(element));
  if (directory !== "" && !isFolder) throw new Absence(`${path}: invalid subdirectory "${printable(directory, 100)}"`);
}

const longestUrl = 2_000;

/**
 * A URL with a scheme, no `file`, nothing that a program could take for an option, no credentials of other people's: of ssh the
 * user is a part of the address.
 */
function checkUrl(written: string, path: string): void {
  const url = written.replace(/^(ssh:\/\/)[A-Za-z0-9_][\w.-]*@/i, "$1");
  const wrong = (why: string) => new Absence(`${path}: invalid repo root "${printable(url, 100)}": ${why}`);
  if (url.length > longestUrl || !/^[\x21-\x7e]+$/.test(url)) throw wrong("not a URL");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/[^/\\@?#-][^\\@?#]*$/.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(url)) throw wrong("no URL with scheme and host alone");
  if (scheme === "file") throw wrong("file scheme disallowed");
}
