import { type ModuleVersion, publishedKey } from "./layout.ts";
import type { ModuleStore } from "./module-store.ts";

/** "published" where a private version was, by what its publication left in the store first; else `undefined`. */
export async function publishedOrigin(
  store: Pick<ModuleStore, "size">,
  module: ModuleVersion,
): Promise<"published" | undefined> {
  return (await store.size(publishedKey(module))) === undefined ? undefined : "published";
}
