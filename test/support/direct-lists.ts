import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { readBody } from "../../lambda/proxy/sources/module-source.ts";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { temporaryName } from "../../lambda/runtime/temporary-files.ts";
import { openDirect } from "../../lambda/upstream/direct/open-direct.ts";
import type { UrlRewrite } from "../../lambda/upstream/git/url-rewrites.ts";
import { openUpstreams } from "../../lambda/upstream/http/open-upstreams.ts";
import type { UpstreamsConfig, UpstreamsOptions } from "../../lambda/upstream/http/upstreams-options.ts";
import { dataFolder } from "./data-folder.ts";

const threadOf = (name: string) => new URL(`../../lambda/upstream/git/${name}.ts`, import.meta.url);

/** A configuration of which only what the test is about must be said. */
export interface DirectConfig extends Partial<Omit<UpstreamsConfig, "git">> {
  readonly rewrites?: readonly UrlRewrite[];
}

/** Lists modules by the whole of what stands behind `direct`; one process, so that it may remember. */
export interface DirectLists extends AsyncDisposable {
  /** The list of a module, or the code of why there is none: `"refused-address"`, of a status with that: `"status 401"`. */
  of(module: string): Promise<string>;
}

export function openDirectLists(
  t: TestContext,
  { rewrites = [], ...given }: DirectConfig,
  options: Partial<UpstreamsOptions> = {},
): DirectLists {
  const tmp = join(dataFolder(t), "tmp");
  mkdirSync(tmp);
  const config = {
    upstreams: [...(given.private ?? []), "*"].map((pattern) => ({ patterns: [pattern], chain: "direct" })),
    private: [],
    allowHosts: [],
    git: { rewrite: rewrites },
    ...given,
  };
  const repositories = openDirect({
    rewrites,
    files: new FolderTemporaryFiles(tmp, temporaryName),
    threads: { packs: threadOf("repository/pack-worker"), zips: threadOf("module/zip-thread") },
    agent: "modfront/test",
  });
  const upstreams = openUpstreams(config, { now: () => performance.now(), version: "1", repositories, ...options });
  const of = async (module: string) => {
    const [step] = upstreams.chainFor(module).steps;
    try {
      const body = await step?.upstream.get(`/${module}/@v/list`, { limit: 1_000 });
      return body === undefined ? "no chain" : Buffer.from(await readBody(body)).toString();
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      return error.code === "status" ? `status ${error.details?.status}` : error.code;
    }
  };
  return { of, [Symbol.asyncDispose]: () => upstreams.close() };
}
