import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { layOutPrivate } from "../../access/private-texts.ts";
import { newKeys } from "../../access/tokens.ts";
import { type AccessSettings, type KeyValues, type TokenSettings, tenantKey } from "../../edge/access-settings.ts";
import { splitPatterns } from "../../golang/module-pattern.ts";
import type { ChosenChannels } from "../../proxy/channels/channel-parts.ts";
import { channelRows, type Ended } from "../../proxy/channels/channel-rows.ts";
import { isMissing } from "./private-file.ts";
import { openTokenDatabase, readEnded, readKeys, tokenDatabaseFile, tokenFile } from "./token-database.ts";

export interface WatchedTokensOptions {
  /** The data folder of a `SqliteTokenStore`. */
  readonly data: string;
  readonly access: AccessSettings;
  /** Those of the configuration. */
  readonly channels?: ChosenChannels;
  /** Unix seconds. */
  readonly now: () => number;
}

/** What was read of the database. */
interface Known {
  readonly database: DatabaseSync;
  /** SQLite's own count of what others changed. */
  readonly version: unknown;
  readonly tokens: TokenSettings;
  /** Texts of revocations that were asked for. */
  readonly revoked: Map<string, string>;
  /** The channels that were rolled back. */
  readonly ended: Ended;
}

/**
 * The key values of a local server: access as configured, tokens from the database that the CLI and other processes write.
 *
 * It is looked at once a second at most, and only for requests with credentials or where there are channels. Without it nobody has a token; with one
 * that cannot be read the value is undefined, which lets nobody in.
 */
export class WatchedTokens implements KeyValues {
  readonly #options: WatchedTokensOptions;
  readonly #hasChannels: boolean;
  readonly #texts: ReadonlyMap<string, string>;
  #looked = -1;
  #file: string | undefined;
  #known: Known | undefined;
  #nobody: TokenSettings | undefined;
  #ended: Ended = new Map();
  #access: AccessSettings;

  constructor(options: WatchedTokensOptions) {
    this.#options = options;
    const { access } = options;
    const { others, texts } = layOutPrivate(splitPatterns(access.private));
    this.#access = { ...access, private: others.join(",") };
    this.#hasChannels = Object.keys(options.channels ?? {}).length > 0;
    if (this.#hasChannels) this.#channel(this.#ended);
    const tenants = Object.entries(access.tenants ?? {}).map(
      ([name, patterns]) => [tenantKey(name), patterns] as const,
    );
    this.#texts = new Map([...tenants, ...[...texts].map(([key, own]) => [key, own.join(",")] as const)]);
  }

  access(): AccessSettings {
    if (this.#hasChannels) this.#look();
    return this.#access;
  }

  tokens(): TokenSettings | undefined {
    this.#look();
    return this.#known?.tokens ?? this.#nobody;
  }

  /** A tenant that the configuration does not have has no modules. */
  readonly text = (key: string): string | undefined => {
    if (!key.startsWith("r ")) return this.#texts.get(key) ?? "";
    try {
      return this.#revoked(key);
    } catch {
      return undefined;
    }
  };

  close(): void {
    this.#known?.database.close();
    this.#known = undefined;
    this.#file = undefined;
  }

  #revoked(key: string): string | undefined {
    if (this.#known === undefined) return this.#nobody && "";
    const { revoked, database } = this.#known;
    const present = revoked.get(key);
    if (present !== undefined) return present;
    const rows = database.prepare("SELECT entry FROM token WHERE text = ?").all(key);
    const entries = rows.map(({ entry }) => String(entry)).join("");
    revoked.set(key, entries);
    return entries;
  }

  #look(): void {
    const now = Math.floor(this.#options.now());
    if (now === this.#looked) return;
    this.#looked = now;
    this.#refresh();
    // While nothing can be read what was known of channels goes on: they say nothing about who may.
    const ended = this.#known?.ended ?? (this.#nobody && new Map());
    if (this.#hasChannels && ended !== undefined && ended !== this.#ended) this.#channel(ended);
  }

  #channel(ended: Ended): void {
    this.#ended = ended;
    this.#access = { ...this.#access, channels: channelRows(this.#options.channels ?? {}, ended) };
  }

  #refresh(): void {
    try {
      const { data } = this.#options;
      const path = join(data, tokenDatabaseFile);
      const file = fileOf(path);
      if (file === undefined && !existsSync(join(data, tokenFile))) {
        this.close();
        // Keys that nobody has make every token unsigned, which is what it is.
        this.#nobody = settingsOf(newKeys());
        return;
      }
      this.#nobody = undefined;
      if (file === undefined || file !== this.#file || existsSync(join(data, tokenFile))) this.close();
      this.#known = readAgain(this.#known ?? { database: openTokenDatabase(data) });
      this.#file = fileOf(path);
    } catch {
      this.#nobody = undefined;
      this.close();
    }
  }
}

/** What is known if nothing changed since, else read anew. */
function readAgain(known: Known | Pick<Known, "database">): Known {
  const { database } = known;
  const version = database.prepare("PRAGMA data_version").get()?.data_version;
  if ("version" in known && known.version === version) return known;
  const keys = readKeys(database);
  return {
    database,
    version,
    tokens: settingsOf(keys.keys.length > 0 ? keys : newKeys()),
    revoked: new Map(),
    ended: readEnded(database),
  };
}

function settingsOf({ keys, identityKeys }: ReturnType<typeof newKeys>): TokenSettings {
  return { keys: keys.map(({ secret }) => secret), identityKey: identityKeys[0] ?? "", revoked: "" };
}

/** Tells a database that was put in place of another. */
function fileOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
