import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { noCredentials } from "../../lambda/upstream/credentials/credentials.ts";
import { Discovery } from "../../lambda/upstream/git/discovery/discovery.ts";
import { DirectUpstream } from "../../lambda/upstream/git/module/direct-upstream.ts";
import { RefListings } from "../../lambda/upstream/git/module/ref-listings.ts";
import { ThreadZips } from "../../lambda/upstream/git/module/thread-zips.ts";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { GitRepositories } from "../../lambda/upstream/git/repository/git-repositories.ts";
import { openForwardProxies } from "../../lambda/upstream/http/forward-proxy.ts";
import { defaultTimeouts, HttpClient } from "../../lambda/upstream/http/http-client.ts";

const known = "https://example.com/";

/** `direct` with modfront's own git client over a server's repositories, which go knows as `https://example.com/<name>`. */
export function directOver(
  folder: string,
  server: string,
): { readonly upstream: DirectUpstream; close(): Promise<void> } {
  let names = 0;
  const files = new FolderTemporaryFiles(folder, () => `temporary-${names++}`);
  const client = new HttpClient({
    isTrusted: () => true,
    timeouts: defaultTimeouts,
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
  });
  const now = () => performance.now();
  const repositories = new GitRepositories({
    client,
    credentials: noCredentials,
    files,
    script: new URL("../../lambda/upstream/git/repository/pack-worker.ts", import.meta.url),
    agent: "modfront/test",
    now,
  });
  const zips = new ThreadZips(new URL("../../lambda/upstream/git/module/zip-thread.ts", import.meta.url));
  const upstream = new DirectUpstream({
    discovery: new Discovery({ get: async () => ({ status: 404, text: "" }) }),
    openRepository: (url) => repositories.open(new URL(url.replace(known, `${server}/`))),
    openProxy: () => {
      throw new Error("no page names a proxy");
    },
    listings: new RefListings({ now, freshFor: 60_000 }),
    zips,
    files,
    limits: gitLimits,
  });
  const close = async () => {
    await zips.close();
    await repositories.close();
    await client.close();
  };
  return { upstream, close };
}
