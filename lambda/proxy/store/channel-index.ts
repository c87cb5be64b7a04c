import type { VersionFacts } from "./version-facts.ts";
import type { MemoryName, ModuleEntry, Remembered, VersionFlag, VersionIndex } from "./version-index.ts";

/**
 * The index as a channel with upstreams of its own sees it: the same versions, for what is stored is stored for all, and other
 * memories of what upstreams said. `module` is three reads here, and two of them small.
 */
export class ChannelIndex implements VersionIndex {
  readonly #index: VersionIndex;
  readonly #channel: string;

  constructor(index: VersionIndex, channel: string) {
    this.#index = index;
    this.#channel = channel;
  }

  async module(path: string): Promise<ModuleEntry> {
    const [entry, list, latest] = await Promise.all([
      this.#index.module(path),
      this.recall(path, "list"),
      this.recall(path, "latest"),
    ]);
    return {
      list,
      latest,
      // Some indices read them when they are first looked at.
      get versions() {
        return entry.versions;
      },
    };
  }

  addVersion(path: string, version: string, now: number, facts: VersionFacts): Promise<void> {
    return this.#index.addVersion(path, version, now, facts);
  }

  facts(path: string, version: string): Promise<VersionFacts | undefined> {
    return this.#index.facts(path, version);
  }

  setFlag(path: string, version: string, flag: VersionFlag, on: boolean): Promise<boolean> {
    return this.#index.setFlag(path, version, flag, on);
  }

  removeVersion(path: string, version: string): Promise<void> {
    return this.#index.removeVersion(path, version);
  }

  recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    return this.#index.recall(path, this.#named(name));
  }

  remember(path: string, name: MemoryName, memory: Remembered): Promise<void> {
    return this.#index.remember(path, this.#named(name), memory);
  }

  /**
   * `"query /canary/list"` and `"missing /canary/v1.0.0.zip"`: kept as queries and absences are, and never asked for, since no
   * version and no query has a slash.
   */
  #named(name: MemoryName): MemoryName {
    const [kind, rest = kind] = /^(query|missing) (.*)$/s.exec(name)?.slice(1) ?? [name];
    if (kind === "missing") return `missing /${this.#channel}/${rest}`;
    return `query /${this.#channel}/${kind === "query" ? `query ${rest}` : name}`;
  }
}
