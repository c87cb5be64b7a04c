import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { openConsumer } from "./aws/background-queue.ts";
import { openStores } from "./aws/deployed-stores.ts";
import { type FillInvocation, type FillOutcome, packAnswer, packFailure } from "./aws/fill-invocation.ts";
import { logLine } from "./aws/log-line.ts";
import { openSecret } from "./aws/open-secret.ts";
import { parseCredentials, withCredentials, withProxyCredentials } from "./aws/upstream-credentials.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { sumdbVerifier } from "./proxy/checksums/known-sumdb.ts";
import { openSumdbRemote } from "./proxy/checksums/sumdb-reach.ts";
import { Fill } from "./proxy/fill/fill.ts";
import { goDefaultProxy } from "./proxy/sources/go-default-proxy.ts";
import { explain } from "./proxy/store/explain.ts";
import { asServedError } from "./proxy/store/served-error.ts";
import { runJob } from "./proxy/upkeep/background.ts";
import { FolderTemporaryFiles } from "./runtime/folder-temporary-files.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";
import { WorkerZipInspector } from "./runtime/worker-zip-inspector.ts";
import { openUpstreams } from "./upstream/http/open-upstreams.ts";

// The fill plane: invoked by the serve plane for misses, and by the background queue.

const environment = readEnvironment("fill");
const settings = readSettings("fill");
const credentials = parseCredentials(await openSecret(environment.MODFRONT_CREDENTIALS_SECRET));
const upstreams = openUpstreams(
  {
    ...settings,
    upstreams: withCredentials(settings.upstreams, credentials),
    proxy: withProxyCredentials(settings.proxy, credentials),
  },
  { fallback: goDefaultProxy, now: () => performance.now(), version: settings.version },
);
const stores = openStores({
  table: environment.MODFRONT_TABLE,
  logTable: environment.MODFRONT_LOG_TABLE,
  bucket: environment.MODFRONT_BUCKET,
});
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
    }),
  },
  inspector: new WorkerZipInspector(new URL("./zip-worker.mjs", import.meta.url)),
  temporaryFiles: new FolderTemporaryFiles(tmpdir(), () => `fill-${randomUUID()}`),
  clock,
  ttl: settings.ttl,
});
const consume = openConsumer(
  environment.MODFRONT_QUEUE,
  (job) => runJob({ fill, ...stores }, job),
  (outcome, messageId, error) =>
    log(
      "background",
      { outcome, messageId, error: error === undefined ? undefined : explain(error) },
      { Jobs: 1, FailedJobs: outcome === "done" ? 0 : 1, Alarming: outcome !== "done" && isAlarming(error) ? 1 : 0 },
    ),
);

function isAlarming(error: unknown): boolean {
  return asServedError(error).traits.alarming;
}

function log(
  message: string,
  fields: Readonly<Record<string, string | undefined>>,
  metrics: Readonly<Record<string, number>>,
): void {
  console.log(logLine({ message, fields, metrics }, { handler: "fill", now: clock.now(), traceId: traceId() }));
}

async function answer({ request }: FillInvocation): Promise<FillOutcome> {
  const started = clock.now();
  const asked = { kind: request.kind, module: "module" in request ? request.module.path : undefined };
  const metrics = (alarming: boolean) => ({
    Fills: 1,
    Milliseconds: clock.now() - started,
    Alarming: alarming ? 1 : 0,
  });
  try {
    const outcome = await packAnswer(request, await fill.fill(request), stores.link);
    log("fill", asked, metrics(false));
    return outcome;
  } catch (error) {
    const { code } = asServedError(error);
    log("fill", { ...asked, code, error: explain(error) }, metrics(isAlarming(error)));
    return packFailure(error);
  }
}

export function handler(event: FillInvocation | SQSEvent): Promise<FillOutcome | SQSBatchResponse> {
  return "Records" in event ? consume(event) : answer(event);
}
