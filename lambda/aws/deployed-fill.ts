import { tmpdir } from "node:os";
import { sumdbVerifier } from "../proxy/checksums/known-sumdb.ts";
import { openSumdbRemote } from "../proxy/checksums/sumdb-reach.ts";
import { Fill, type FillParts } from "../proxy/fill/fill.ts";
import { goDefaultProxy } from "../proxy/sources/go-default-proxy.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { FolderTemporaryFiles } from "../runtime/folder-temporary-files.ts";
import { sweepTemporaryFiles, temporaryName } from "../runtime/temporary-files.ts";
import { WorkerZipInspector } from "../runtime/worker-zip-inspector.ts";
import type { CredentialRule } from "../upstream/credentials/configured-credentials.ts";
import type { UpstreamTimeouts } from "../upstream/http/exchange.ts";
import { openUpstreams } from "../upstream/http/open-upstreams.ts";
import type { UpstreamsConfig } from "../upstream/http/upstreams-options.ts";
import { openDeployedCredentials } from "./deployed-credentials.ts";
import { openStores, type StoresEnvironment } from "./deployed-stores.ts";
import { fillTimes } from "./fill-times.ts";
import { openSecret } from "./open-secret.ts";
import { parseCredentials, withProxyCredentials } from "./upstream-credentials.ts";

export interface DeployedFillParts {
  /** Of its environment; lambda/config/env.ts says what they are. */
  readonly environment: StoresEnvironment & { readonly MODFRONT_CREDENTIALS_SECRET: string };
  /** Of the configuration. */
  readonly settings: UpstreamsConfig & {
    readonly ttl: FillParts["ttl"];
    readonly timeouts: UpstreamTimeouts & FillParts["timeouts"];
    readonly sumdb: { readonly name: string; readonly url?: string | undefined };
    readonly credentials: readonly CredentialRule[];
    readonly version: string;
  };
  /** The bundle of the thread that inspects zips. */
  readonly zipWorker: URL;
  readonly clock: Clock;
  /** Milliseconds on a clock that does not go back. */
  readonly elapsed: () => number;
}

/** The fill plane of a deployment with the stores it writes to, for the two functions that may. */
export async function openFill({ environment, settings, zipWorker, clock, elapsed }: DeployedFillParts) {
  // /tmp outlives an invocation that was killed at its time limit.
  await sweepTemporaryFiles(tmpdir(), clock.now());
  const readByHost = async () => parseCredentials(await openSecret(environment.MODFRONT_CREDENTIALS_SECRET));
  const byHost = await readByHost();
  const credentials = openDeployedCredentials({
    rules: settings.credentials,
    byHost,
    readByHost,
    now: () => clock.now(),
    elapsed,
  });
  const upstreams = openUpstreams(
    { ...settings, credentials: credentials.rules, proxy: withProxyCredentials(settings.proxy, byHost) },
    { fallback: goDefaultProxy, now: elapsed, version: settings.version, credentials: credentials.open },
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
    inspector: new WorkerZipInspector(zipWorker),
    temporaryFiles: new FolderTemporaryFiles(tmpdir(), temporaryName),
    clock,
    ttl: settings.ttl,
    timeouts: { total: Math.min(settings.timeouts.total, fillTimes.file) },
  });
  return { fill, stores };
}
