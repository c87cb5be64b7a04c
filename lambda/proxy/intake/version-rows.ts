import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { VersionFacts } from "../store/version-facts.ts";
import type { VersionIndex } from "../store/version-index.ts";

/** The last step of intake: makes versions visible. A row that could not be written is tried again after the next that could. */
export class VersionRows {
  readonly #index: VersionIndex;
  readonly #clock: Pick<Clock, "now">;
  /** Versions with stored files and no row, because writing it failed. */
  readonly #invisible = new Map<string, { readonly module: ModuleVersion; readonly facts: VersionFacts }>();

  constructor(index: VersionIndex, clock: Pick<Clock, "now">) {
    this.#index = index;
    this.#clock = clock;
  }

  async add(module: ModuleVersion, facts: VersionFacts): Promise<void> {
    try {
      await this.#index.addVersion(module.path, module.version, this.#clock.now(), facts);
    } catch (error) {
      this.#invisible.set(`${module.path}@${module.version}`, { module, facts });
      throw error;
    }
    const late = [...this.#invisible.values()];
    this.#invisible.clear();
    await Promise.allSettled(late.map((each) => this.add(each.module, each.facts)));
  }
}
