import type { LookupFunction } from "node:net";
import type { TestContext } from "node:test";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { type Credentials, noCredentials } from "../../lambda/upstream/credentials/credentials.ts";
import type { GitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { Objects } from "../../lambda/upstream/git/pack/objects.ts";
import { GitRepositories } from "../../lambda/upstream/git/repository/git-repositories.ts";
import type { Snapshot } from "../../lambda/upstream/git/repository/snapshot.ts";
import { openForwardProxies } from "../../lambda/upstream/http/forward-proxy.ts";
import { defaultTimeouts, HttpClient } from "../../lambda/upstream/http/http-client.ts";
import { dataFolder } from "./data-folder.ts";

export interface GitClientOptions {
  readonly limits?: Partial<GitLimits>;
  readonly credentials?: Credentials;
  readonly isTrusted?: (url: URL) => boolean;
  readonly lookup?: LookupFunction;
  /** Milliseconds; 0 when left out. */
  readonly now?: () => number;
}

/** The git client over a folder of its own, both gone with the test. */
export function gitClient(t: TestContext, options: GitClientOptions = {}) {
  const folder = dataFolder(t);
  let names = 0;
  const client = new HttpClient({
    isTrusted: options.isTrusted ?? (() => true),
    // What is given up is not to end by itself.
    timeouts: { ...defaultTimeouts, firstByte: 600_000, idle: 600_000 },
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
    lookup: options.lookup,
  });
  const repositories = new GitRepositories({
    client,
    credentials: options.credentials ?? noCredentials,
    files: new FolderTemporaryFiles(folder, () => `file-${names++}`),
    script: new URL("../../lambda/upstream/git/repository/pack-worker.ts", import.meta.url),
    agent: "modfront/test",
    now: options.now ?? (() => 0),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  t.after(async () => {
    await repositories.close();
    await client.close();
  });
  return { repositories, folder };
}

/** The files of a snapshot with their content, which is closed. */
export function filesOf(snapshot: Snapshot, paths?: readonly string[]): Record<string, string> {
  const objects = new Objects(snapshot.place, gitLimits);
  try {
    const files = Array.from(objects.files(snapshot.place.tree, paths)).filter(({ kind }) => kind !== "submodule");
    return Object.fromEntries(files.map(({ path, id }) => [path, objects.blob(id, gitLimits.blobBytes).toString()]));
  } finally {
    objects.close();
    snapshot.close();
  }
}
