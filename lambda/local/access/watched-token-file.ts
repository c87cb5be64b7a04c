import { readFileSync, statSync } from "node:fs";
import { packTokens } from "../../access/packed-settings.ts";
import { layOutPrivate } from "../../access/private-texts.ts";
import { newKeys } from "../../access/tokens.ts";
import {
  type AccessSettings,
  type KeyValues,
  readTokens,
  type TokenSettings,
  tenantKey,
} from "../../edge/access-settings.ts";
import { splitPatterns } from "../../golang/module-pattern.ts";
import { parseTokenState } from "./file-token-store.ts";
import { isMissing } from "./private-file.ts";

export interface WatchedTokenFileOptions {
  /** The file of a `FileTokenStore`. */
  readonly path: string;
  readonly access: AccessSettings;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * The key values of a local server: access as configured, tokens from the file that the CLI writes.
 *
 * The file is looked at once a second at most, and only for requests with credentials; it is read when it has changed.
 * Without the file nobody has a token; with one that cannot be read the value is undefined, which lets nobody in.
 */
export class WatchedTokenFile implements KeyValues {
  readonly #options: WatchedTokenFileOptions;
  readonly #access: AccessSettings;
  readonly #texts: ReadonlyMap<string, string>;
  #looked = -1;
  #version: string | undefined;
  #tokens: TokenSettings | undefined;

  constructor(options: WatchedTokenFileOptions) {
    this.#options = options;
    const { access } = options;
    const { others, texts } = layOutPrivate(splitPatterns(access.private));
    this.#access = { ...access, private: others.join(",") };
    const tenants = Object.entries(access.tenants ?? {}).map(
      ([name, patterns]) => [tenantKey(name), patterns] as const,
    );
    this.#texts = new Map([...tenants, ...[...texts].map(([key, own]) => [key, own.join(",")] as const)]);
  }

  access(): AccessSettings {
    return this.#access;
  }

  /** What no text says: a tenant that the configuration does not have, and revocations, which `tokens` has. */
  readonly text = (key: string): string => this.#texts.get(key) ?? "";

  tokens(): TokenSettings | undefined {
    const now = Math.floor(this.#options.now());
    if (now !== this.#looked) {
      this.#looked = now;
      this.#refresh(now);
    }
    return this.#tokens;
  }

  #refresh(now: number): void {
    try {
      const version = fileVersion(this.#options.path);
      if (version === this.#version) return;
      // Should reading fail, the next look must not take the file for read.
      this.#version = undefined;
      this.#tokens = undefined;
      // Keys that nobody has make every token unsigned, which is what it is.
      const state =
        version === "" ? { ...newKeys(), tokens: [] } : parseTokenState(readFileSync(this.#options.path, "utf8"));
      this.#tokens = readTokens(packTokens(state, now));
      this.#version = version;
    } catch {
      this.#version = undefined;
      this.#tokens = undefined;
    }
  }
}

/** Every change is a new file, so its inode tells changes within one tick of the clock apart. Empty for no file. */
function fileVersion(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}
