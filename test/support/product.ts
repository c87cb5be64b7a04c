import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { tenantBorders, tenantWith } from "../../lambda/access/tenants.ts";
import { parseConfig } from "../../lambda/config/config.ts";
import { SqliteCredentialStore } from "../../lambda/local/access/sqlite-credential-store.ts";
import type { Failpoint } from "../../lambda/local/data/failpoints.ts";
import { openLocalCredentials, secretReader } from "../../lambda/local/server/local-credentials.ts";
import { startLocal } from "../../lambda/local/server/start.ts";
import { openSumdbRemote } from "../../lambda/proxy/checksums/sumdb-reach.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { RequestWay } from "../../lambda/runtime/request-way.ts";
import { temporaryName } from "../../lambda/runtime/temporary-files.ts";
import { openDirect } from "../../lambda/upstream/direct/open-direct.ts";
import type { UpstreamTimeouts } from "../../lambda/upstream/http/exchange.ts";
import { openDocuments } from "../../lambda/upstream/http/open-documents.ts";
import { openUpstreams } from "../../lambda/upstream/http/open-upstreams.ts";
import { WebhookSecrets } from "../../lambda/webhooks/webhook-secrets.ts";
import { eventually } from "./eventually.ts";
import { clockWith } from "./set-clock.ts";

/** What is plain enough to reach another process as JSON. */
export interface ProductOptions {
  readonly data: string;
  /** A `modfront.config.json`. */
  readonly config: object;
  readonly timeouts?: UpstreamTimeouts;
  readonly port?: number;
  /** Milliseconds by which the product's clock is ahead: leases of the dead are over then. */
  readonly ahead?: number;
  /** Files: the server's own certificate and key, and the authorities of clients. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

export interface Product {
  readonly url: string;
  /** What the operator was told. */
  readonly warnings: readonly string[];
  stop(): Promise<void>;
}

const threadOfGit = (name: string) => new URL(`../../lambda/upstream/git/${name}.ts`, import.meta.url);

/** The composed product, as bin/local.ts puts it together, without the process's flags, environment and signals. */
export async function startProduct(options: ProductOptions, failpoint?: Failpoint): Promise<Product> {
  const config = parseConfig(JSON.stringify(options.config));
  const clock = clockWith({ now: () => Date.now() + (options.ahead ?? 0) });
  const set = new SqliteCredentialStore(options.data);
  const readAwsSecret = (id: string) => Promise.reject(new Error(`no secret ${id}`));
  const credentials = await openLocalCredentials({
    rules: config.credentials,
    set,
    environment: {},
    platform: process.platform,
    readAwsSecret,
    now: clock.now,
    elapsed: () => performance.now(),
    warn: () => {},
  });
  const way = new RequestWay(`modfront-${randomBytes(8).toString("hex")}`);
  const upstreams = openUpstreams(config, {
    via: () => way.header(),
    now: () => performance.now(),
    version: "0.0.0",
    credentials,
    tenantOf: tenantWith(config.tenants, (name) => set.hasOwn(name)),
    borders: tenantBorders(config.tenants),
    repositories: openDirect({
      rewrites: config.git.rewrite,
      files: new FolderTemporaryFiles(join(options.data, "tmp"), temporaryName),
      threads: { packs: threadOfGit("repository/pack-worker"), zips: threadOfGit("module/zip-thread") },
      agent: "modfront/0.0.0",
    }),
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  const warnings: string[] = [];
  const settings = {
    port: options.port ?? 0,
    host: "127.0.0.1",
    data: options.data,
    log: "off",
    tls: options.tls,
    config,
    upstream: "off",
  } as const;
  const documents = openDocuments(config, { version: "0.0.0" });
  const server = await startLocal(settings, {
    way,
    readDocument: documents.read,
    webhookSecrets: new WebhookSecrets(config.webhooks, secretReader({ environment: {}, readAwsSecret }), () =>
      performance.now(),
    ),
    clock,
    router: upstreams,
    sumdbRemote: (name) => {
      const { url } = config.sumdb;
      return openSumdbRemote({ name, url, chain: upstreams.catchAll, direct: (to) => upstreams.direct(to), clock });
    },
    zipWorker: new URL("../../lambda/runtime/zip-worker.ts", import.meta.url),
    write: () => {},
    warn: (line) => warnings.push(line),
    ...(failpoint && { failpoint }),
  });
  const stop = async () => {
    await server.stop();
    await Promise.all([upstreams.close(), documents.close()]);
    set.close();
  };
  return { url: server.url, warnings, stop };
}

/** Resolves when the log of a product that just started has its first head: a start has nothing more to write then. */
export async function untilSigned(url: string): Promise<void> {
  const [name] = (await get(url, "/-/gosumdb")).body.toString().split("+");
  await eventually(async () => (await get(url, `/sumdb/${name}/latest`)).status === 200);
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** GETs exactly this path: nothing is normalised. Rejects when the answer breaks off. */
export function get(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { path, headers, agent: false }, async (response) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on("error", reject).end();
  });
}

/** The keys of everything in a data folder's store, but of what the log keeps of itself. */
export function storedKeys(data: string): string[] {
  const files = readdirSync(join(data, "mod"), { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  const root = join(data, "mod").length + 1;
  return files
    .map((file) => join(file.parentPath, file.name).slice(root))
    .filter((key) => !key.startsWith("-/log/"))
    .sort();
}

/** What lies in a data folder's place for unfinished files. */
export function temporaryNames(data: string): string[] {
  return readdirSync(join(data, "tmp"));
}
