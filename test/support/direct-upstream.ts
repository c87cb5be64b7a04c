import { join } from "node:path";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { Discovery } from "../../lambda/upstream/git/discovery/discovery.ts";
import { DirectUpstream } from "../../lambda/upstream/git/module/direct-upstream.ts";
import { writeModuleZip } from "../../lambda/upstream/git/module/module-zip.ts";
import { RefListings } from "../../lambda/upstream/git/module/ref-listings.ts";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { LocalGitRepository } from "./local-git-repository.ts";

let names = 0;

/** `direct` over the repositories of a folder beside `scratch`, at `https://example.com/<name>`. */
export function directOver(
  scratch: string,
  _url: string,
): { readonly upstream: DirectUpstream; close(): Promise<void> } {
  const upstream = new DirectUpstream({
    discovery: new Discovery({ get: async () => ({ status: 404, text: "" }) }),
    openRepository: (url) =>
      new LocalGitRepository(url, join(scratch, "../repos", url.slice("https://example.com/".length)), scratch),
    openProxy: () => {
      throw new Error("no proxies");
    },
    listings: new RefListings({ now: () => performance.now(), freshFor: 60_000 }),
    zips: { make: writeModuleZip },
    files: new FolderTemporaryFiles(scratch, () => `temporary-${names++}`),
    limits: gitLimits,
  });
  return { upstream, close: async () => {} };
}
