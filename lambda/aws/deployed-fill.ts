import { tmpdir } from "node:os";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Tenants, tenantBorders, tenantWith } from "../access/tenants.ts";
import { channelPolicies } from "../proxy/channels/channel-parts.ts";
import type { Channels } from "../proxy/channels/config.ts";
import { sumdbVerifier } from "../proxy/checksums/known-sumdb.ts";
import { openSumdbRemote } from "../proxy/checksums/sumdb-reach.ts";
import { Fill, type FillParts } from "../proxy/fill/fill.ts";
import { goDefaultProxy } from "../proxy/sources/go-default-proxy.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { FolderTemporaryFiles } from "../runtime/folder-temporary-files.ts";
import { sweepTemporaryFiles, temporaryName } from "../runtime/temporary-files.ts";
import { WorkerZipInspector } from "../runtime/worker-zip-inspector.ts";
import type { CredentialRule } from "../upstream/credentials/configured-credentials.ts";
import { type DirectOptions, openDirect } from "../upstream/direct/open-direct.ts";
import type { UpstreamTimeouts } from "../upstream/http/exchange.ts";
import { openUpstreams } from "../upstream/http/open-upstreams.ts";
import type { UpstreamsConfig } from "../upstream/http/upstreams-options.ts";
import { openDeployedCredentials } from "./deployed-credentials.ts";
import { openStores, type StoresEnvironment } from "./deployed-stores.ts";
import { fillTimes } from "./fill-times.ts";
import { openSecret } from "./open-secret.ts";
import { SecretCredentials } from "./secret-credentials.ts";
import { type smallMemory, temporarySpace } from "./temporary-space.ts";
import { parseCredentials, withProxyCredentials } from "./upstream-credentials.ts";

export interface DeployedFillParts {
  /** Of its environment; lambda/config/env.ts says what they are. */
  readonly environment: StoresEnvironment & { readonly MODFRONT_CREDENTIALS_SECRET: string };
  /** Of the configuration. */
  readonly settings: UpstreamsConfig & {
    readonly ttl: FillParts["ttl"];
    readonly policy: FillParts["policy"];
    readonly channels: Channels;
    readonly timeouts: UpstreamTimeouts & FillParts["timeouts"];
    readonly sumdb: { readonly name: string; readonly url?: string | undefined };
    readonly credentials: readonly CredentialRule[];
    readonly git: { readonly rewrite: DirectOptions["rewrites"] };
    readonly tenants: Tenants;
    readonly publishing: FillParts["publishing"];
    readonly version: string;
  };
  /** The bundle of a thread beside that of the function. */
  readonly threadOf: (name: "zip-worker" | "pack-worker" | "zip-thread") => URL;
  /** What a repository may take of less memory than usual. */
  readonly repositories?: typeof smallMemory;
  readonly clock: Clock;
  /** Milliseconds on a clock that does not go back. */
  readonly elapsed: () => number;
}

/** The fill plane of a deployment with the stores it writes to, for the two functions that may. */
export async function openFill(parts: DeployedFillParts) {
  const { environment, settings, threadOf, repositories, clock, elapsed } = parts;
  // /tmp outlives an invocation that was killed at its time limit.
  await sweepTemporaryFiles(tmpdir(), clock.now());
  const temporaryFiles = new FolderTemporaryFiles(tmpdir(), temporaryName);
  const readByHost = async () => parseCredentials(await openSecret(environment.MODFRONT_CREDENTIALS_SECRET));
  const byHost = await readByHost();
  const set = new SecretCredentials({
    client: new DynamoDBClient({}),
    secrets: new SecretsManagerClient({}),
    table: environment.MODFRONT_TABLE,
    elapsed,
  });
  const credentials = openDeployedCredentials({
    rules: settings.credentials,
    set,
    byHost,
    readByHost,
    now: () => clock.now(),
    elapsed,
  });
  const upstreams = openUpstreams(
    { ...settings, credentials: credentials.rules, proxy: withProxyCredentials(settings.proxy, byHost) },
    {
      fallback: goDefaultProxy,
      now: elapsed,
      version: settings.version,
      credentials: credentials.open,
      tenantOf: tenantWith(settings.tenants, (name) => set.hasOwn(name)),
      borders: tenantBorders(settings.tenants),
      repositories: openDirect({
        rewrites: settings.git.rewrite,
        files: temporaryFiles,
        threads: { packs: threadOf("pack-worker"), zips: threadOf("zip-thread") },
        agent: `modfront/${settings.version}`,
        limits: { ...temporarySpace.repositories, ...repositories },
      }),
    },
  );
  const stores = openStores(environment, clock);
  const verifier = sumdbVerifier(settings.sumdb.name);
  const fill = new Fill({
    ...stores,
    router: upstreams,
    sumdb: verifier && {
      verifier,
      remote: openSumdbRemote({
        name: verifier.name,
        url: settings.sumdb.url,
        chain: upstreams.catchAll,
        direct: (url) => upstreams.direct(url),
        clock,
      }),
    },
    inspector: new WorkerZipInspector(threadOf("zip-worker")),
    temporaryFiles,
    clock,
    policy: settings.policy,
    channelPolicies: channelPolicies(settings.channels),
    ttl: settings.ttl,
    publishing: settings.publishing,
    timeouts: { total: Math.min(settings.timeouts.total, fillTimes.file) },
  });
  // Which tenants have credentials of their own is asked without waiting, so that it must be known before.
  const begin = async () => void (await set.readAll());
  return { fill, stores, begin };
}
