import { tenantPatterns } from "./access/tenants.ts";
import { createApiHandler } from "./aws/api-handler.ts";
import { sendJobs } from "./aws/background-queue.ts";
import { openUsedTokens } from "./aws/dynamo-used-tokens.ts";
import { IdentityKeys } from "./aws/identity-keys.ts";
import { openSecret } from "./aws/open-secret.ts";
import { QueuedFollows } from "./aws/queued-follows.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { regionOfSecret } from "./aws/secret-ids.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { CodedError } from "./golang/coded-error.ts";
import { siteHandler } from "./http/site.ts";
import { ServedError } from "./proxy/store/served-error.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";
import { webhookRoutes } from "./webhooks/webhook-routes.ts";
import { WebhookSecrets } from "./webhooks/webhook-secrets.ts";

// What hosts tell of repositories, of a deployment: it proves who says so, and leaves the rest to the background queue. It neither
// reads nor writes a module.

const environment = readEnvironment("webhook");
const { access, private: patterns, tenants, webhooks } = readSettings("webhook");
const { MODFRONT_EDGE_SECRET: edgeSecret, MODFRONT_PRIMARY_REGION: region, MODFRONT_QUEUE: queue } = environment;
const known = {
  anonymous: access.anonymous ?? "none",
  private: patterns.join(","),
  tenants: tenantPatterns(tenants),
};

const secrets = new WebhookSecrets(
  webhooks,
  async (reference) => {
    if ("aws" in reference) return await openSecret(reference.aws, regionOfSecret(reference.aws) ?? region);
    throw new CodedError("config", "a function reads secrets from AWS Secrets Manager alone");
  },
  () => performance.now(),
);
const deliveries = openUsedTokens(environment.MODFRONT_TABLE, region);
const follows = new QueuedFollows({
  use: (id, until) => deliveries.use(id, until),
  send: async (job, delaySeconds) => {
    const sent = await sendJobs(queue, [job], { region, delaySeconds });
    if (sent === 0) throw new ServedError("store-failed", "the queue does not take it");
  },
  now: clock.now,
});
const rows = webhookRoutes({
  ...{ webhooks, secrets, deliveries, now: clock.now },
  follow: (paths, branches) => follows.follow(paths, branches),
  told: (outcome) => {
    const context = { handler: "webhook", now: clock.now(), traceId: traceId(), version: functionVersion() };
    writeLine(reportLine({ message: "webhook", fields: { outcome }, metrics: { Webhooks: 1 } }, context));
  },
});

export const handler = createApiHandler({
  name: "webhook",
  handlers: { site: siteHandler(rows, known) },
  identityKeys: new IdentityKeys(() => openSecret(edgeSecret, region), clock.now),
  access: known,
  now: clock.now,
  begin: () => {},
  traceId,
  version: functionVersion(),
  write: writeLine,
});
