import { AuditedChanges } from "./access/audit/audited-changes.ts";
import { LimitedRefusals } from "./access/audit/limited-refusals.ts";
import { refusalOf } from "./admin/refusals.ts";
import { bodyLimit } from "./aws/fill-invocation.ts";
import { openPurges } from "./aws/lambda-purges.ts";
import { openPublishing } from "./aws/open-publishing.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { openIndex, ServeFunction } from "./aws/serve-function.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { explain } from "./proxy/store/explain.ts";
import { Publications, publicationHappened } from "./publishing/publications.ts";
import { publishRoutes } from "./publishing/publish-routes.ts";
import { yankRoutes } from "./publishing/yank-routes.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// Publishing and yanking, of a deployment: takes zips in, or says where they are to be put, and has the fill plane do the rest.

const environment = readEnvironment("publish");
const settings = readSettings("publish");
const { MODFRONT_BUCKET: bucket, MODFRONT_EDGE_SECRET: edgeSecret } = environment;
const given = { clock, traceId, version: functionVersion(), write: writeLine };
const serving = new ServeFunction({ name: "publish", edgeSecret, settings: { ...settings, channels: [] }, ...given });

/** Milliseconds: it reads the events of two days. */
const settleInterval = 600_000;

const { audit, uploads } = openPublishing(bucket, serving.identityKeys);
const changes = new AuditedChanges(audit, clock.now);
const happened = publicationHappened(openIndex(environment.MODFRONT_TABLE));
const publications = new Publications({
  fill: serving.openFillPlane(environment.MODFRONT_FILL),
  changes,
  purges: openPurges(environment.MODFRONT_PURGE, purgeFailed),
  settle: () => changes.settleAgain(happened, settleInterval),
});
const { tenants } = settings;
const refusals = new LimitedRefusals(audit);

export const handler = serving.answerSite(
  [
    ...publishRoutes({ publications, uploads, places: uploads, largestRequest: bodyLimit, tenants }),
    ...yankRoutes({ publications, isPrivate: serving.isPrivate, tenants }),
  ],
  (request, route) => refusals.write(refusalOf(request, route, clock.now())),
);

/** A list is then old until its time is over. */
function purgeFailed(error: unknown): void {
  const context = { handler: "publish", now: clock.now(), traceId: traceId(), version: functionVersion() };
  const fields = { error: explain(error) };
  writeLine(reportLine({ message: "purge", fields, metrics: { FailedPurges: 1 } }, context));
}
