import type { Claim } from "../store/claim-store.ts";
import { policies, stagedKey } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { stagedNames } from "./claims.ts";
import { together } from "./together.ts";
import type { Unit } from "./unit.ts";

/**
 * The bytes of private versions between being verified and lying under their protocol keys, which S3 serves to whoever
 * may read the module. Staged files go by the hashes of their claim, so that whoever knows it can go on with them.
 */
export class Staging {
  readonly #store: ModuleStore;

  constructor(store: ModuleStore) {
    this.#store = store;
  }

  /** Stages what is not kept already; returns the keys it made. */
  async stage(unit: Unit, claim: Claim): Promise<readonly string[]> {
    const names = stagedNames(claim);
    const files = [
      { ...unit.info, name: names.info, source: unit.info.bytes },
      { ...unit.mod, name: names.mod, source: unit.mod.bytes },
      { ...unit.zip, name: names.zip, source: { path: unit.zip.path } },
    ];
    const keys = await together(
      ...files.map(async ({ kept, name, source }) => {
        if (!kept) await this.#store.create(stagedKey(name), source, policies.internal);
        return kept ? [] : [stagedKey(name)];
      }),
    );
    return keys.flat();
  }

  /** What stays because it cannot be removed is swept after a day. */
  async remove(keys: readonly string[]): Promise<void> {
    await Promise.allSettled(keys.map((key) => this.#store.remove(key)));
  }
}
