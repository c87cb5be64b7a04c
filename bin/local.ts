import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { tenantBorders, tenantWith } from "../lambda/access/tenants.ts";
import { CodedError, isCodedError } from "../lambda/golang/coded-error.ts";
import { SqliteCredentialStore } from "../lambda/local/access/sqlite-credential-store.ts";
import { greeting } from "../lambda/local/server/greeting.ts";
import { openLocalCredentials, secretReader } from "../lambda/local/server/local-credentials.ts";
import { readSettings, type Settings, usage } from "../lambda/local/server/settings.ts";
import { startLocal } from "../lambda/local/server/start.ts";
import { openSumdbRemote } from "../lambda/proxy/checksums/sumdb-reach.ts";
import { FolderTemporaryFiles } from "../lambda/runtime/folder-temporary-files.ts";
import { RequestWay } from "../lambda/runtime/request-way.ts";
import { systemClock as clock } from "../lambda/runtime/system-clock.ts";
import { temporaryName } from "../lambda/runtime/temporary-files.ts";
import { openDirect } from "../lambda/upstream/direct/open-direct.ts";
import { forwardProxyOf } from "../lambda/upstream/http/forward-proxy.ts";
import { openDocuments } from "../lambda/upstream/http/open-documents.ts";
import { openUpstreams, type Upstreams } from "../lambda/upstream/http/open-upstreams.ts";
import { WebhookSecrets } from "../lambda/webhooks/webhook-secrets.ts";
import packageJson from "../package.json" with { type: "json" };

// npm start, behind start.mjs: the flags, the environment, the clock and the streams of this process, put together with
// the product. Runs until a signal; a start that fails ends the process with one line and 2 for wrong usage or configuration.

const threadOfGit = (name: string) => new URL(`../lambda/upstream/git/${name}.ts`, import.meta.url);
const directThreads = { packs: threadOfGit("repository/pack-worker"), zips: threadOfGit("module/zip-thread") };

/** What `go env -w` keeps: a GOPROXY in the environment, which may be this very server, would hide it. */
function goEnvProxy(): string | undefined {
  const { GOPROXY, ...env } = process.env;
  const go = spawnSync("go", ["env", "GOPROXY"], { encoding: "utf8", timeout: 10_000, env });
  return go.status === 0 ? go.stdout.trim() : undefined;
}

async function connect(settings: Settings, way: RequestWay): Promise<Upstreams> {
  const { config, upstream } = settings;
  const set = new SqliteCredentialStore(settings.data);
  const credentials = await openLocalCredentials({
    rules: config.credentials,
    set,
    environment: process.env,
    platform: process.platform,
    readAwsSecret,
    now: clock.now,
    elapsed: () => performance.now(),
    warn: print,
  });
  return openUpstreams(config, {
    credentials,
    tenantOf: tenantWith(config.tenants, (name) => set.hasOwn(name)),
    borders: tenantBorders(config.tenants),
    repositories: openDirect({
      rewrites: config.git.rewrite,
      files: new FolderTemporaryFiles(join(settings.data, "tmp"), temporaryName),
      threads: directThreads,
      agent: `modfront/${packageJson.version}`,
    }),
    fallback: upstream,
    now: () => performance.now(),
    version: packageJson.version,
    forwardProxy: forwardProxyOf(process.env),
    via: () => way.header(),
  });
}

/** Loaded by those who have their secrets there. */
async function readAwsSecret(id: string): Promise<string> {
  return (await import("../lambda/aws/open-secret.ts")).openSecret(id);
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  if (process.argv.slice(2).some((flag) => flag === "--help" || flag === "-h")) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const settings = readSettings({
    args: process.argv.slice(2),
    environment: process.env,
    isTerminal: process.stderr.isTTY === true,
    goEnvProxy,
  });
  // What is stored may be private: its files are their owner's alone.
  process.umask(0o077);
  // A closed pipe costs its lines, not the server.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const way = new RequestWay(`modfront-${randomBytes(8).toString("hex")}`);
  const upstreams = await connect(settings, way);
  for (const note of upstreams.notes) print(note);
  const documents = openDocuments(settings.config, {
    version: packageJson.version,
    forwardProxy: forwardProxyOf(process.env),
  });
  const read = secretReader({ environment: process.env, readAwsSecret });
  const webhookSecrets = new WebhookSecrets(settings.config.webhooks, read, () => performance.now());
  await webhookSecrets.check();
  const server = await startLocal(settings, {
    clock,
    webhookSecrets,
    readDocument: documents.read,
    router: upstreams,
    way,
    sumdbRemote: (name) =>
      openSumdbRemote({
        name,
        url: settings.config.sumdb.url,
        chain: upstreams.catchAll,
        direct: (url) => upstreams.direct(url),
        clock,
      }),
    zipWorker: new URL("../lambda/runtime/zip-worker.ts", import.meta.url),
    write: (line) => process.stdout.write(line),
    warn: print,
  });
  process.stdout.write(greeting(settings, server));
  stopOnSignal(async () => {
    await server.stop();
    await Promise.all([upstreams.close(), documents.close()]);
  });
}

/** The first signal drains; a second one, or half a minute, ends it all the same. */
function stopOnSignal(stop: () => Promise<void>): void {
  const begin = () => {
    setTimeout(() => process.exit(1), 30_000).unref();
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, begin);
}

function exitCode(error: unknown): number {
  return isCodedError<string>(error, "usage", "config") ? 2 : 1;
}

try {
  await main();
} catch (error) {
  print(error instanceof CodedError ? `modfront: ${error.message}` : `modfront: ${String(error)}`);
  process.exit(exitCode(error));
}
