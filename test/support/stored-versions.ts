import type { VersionIndex } from "../../lambda/proxy/store/version-index.ts";

/** The versions that an index has of a module, in the order of their bytes. */
export async function storedVersions(index: VersionIndex, path: string): Promise<readonly string[]> {
  return (await index.module(path)).versions.map(({ version }) => version).sort();
}
