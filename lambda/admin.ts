import { AuditedChanges, type Happened } from "./access/audit/audited-changes.ts";
import { LimitedRefusals } from "./access/audit/limited-refusals.ts";
import { AuditedChannels } from "./access/audited-channels.ts";
import { AuditedTokens } from "./access/audited-tokens.ts";
import { tenantPatterns } from "./access/tenants.ts";
import type { Administration } from "./admin/administration.ts";
import { AuditedCredentials } from "./admin/audited-credentials.ts";
import { AuditedRulings } from "./admin/audited-rulings.ts";
import { type ChannelAdministration, channelRoutes } from "./admin/channel-routes.ts";
import { type CredentialAdministration, credentialRoutes } from "./admin/credential-routes.ts";
import { overviewRoutes } from "./admin/overview-routes.ts";
import { refusalOf } from "./admin/refusals.ts";
import { blockRoutes, type RulingAdministration } from "./admin/ruling-routes.ts";
import { tokenRoutes } from "./admin/token-routes.ts";
import { createApiHandler } from "./aws/api-handler.ts";
import { DeployedChannelStates } from "./aws/deployed-channel-states.ts";
import { DeployedRulingStore, openRulings } from "./aws/deployed-ruling-store.ts";
import { openCredentialStore } from "./aws/dynamo-credential-store.ts";
import { IdentityKeys } from "./aws/identity-keys.ts";
import { openKeyValues } from "./aws/key-value-store.ts";
import { openAuditLog } from "./aws/open-deployed-audit.ts";
import { openTokenStore } from "./aws/open-deployed-tokens.ts";
import { openSecret } from "./aws/open-secret.ts";
import { writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { siteHandler } from "./http/site.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// What administrators do over HTTP, of a deployment. It is put behind the edge as what serves modules is, and reaches none.

const environment = readEnvironment("admin");
const { access, private: patterns, tenants } = readSettings("admin");
const { MODFRONT_EDGE_SECRET: edgeSecret, MODFRONT_PRIMARY_REGION: region } = environment;
const known = {
  anonymous: access.anonymous ?? "none",
  private: patterns.join(","),
  tenants: tenantPatterns(tenants),
};

/** Milliseconds: it reads the events of two days. */
const settleInterval = 600_000;

function openAdministration(): Administration &
  CredentialAdministration &
  ChannelAdministration &
  Pick<RulingAdministration, "rulings"> {
  const { MODFRONT_KEY_VALUE_STORE: storeArn, MODFRONT_TABLE: table, MODFRONT_BUCKET: bucket } = environment;
  const store = openTokenStore({ storeArn, table, edgeSecret, region }, clock);
  const audit = openAuditLog(bucket, region);
  const changes = new AuditedChanges(audit, clock.now);
  const now = () => Math.floor(clock.now() / 1000);
  const tokens = new AuditedTokens({ store, changes, tenants: Object.keys(tenants), now });
  const credentials = new AuditedCredentials({
    store: openCredentialStore(table, environment.MODFRONT_CREDENTIALS, region),
    ...{ changes, tenants: Object.keys(tenants), now: clock.now },
  });
  const ruled = new DeployedRulingStore(openRulings({ table, region, storeArn }, clock.now));
  const rulings = new AuditedRulings({ store: ruled, changes, tenants, now: clock.now });
  const states = new DeployedChannelStates(openKeyValues(), storeArn);
  const channels = new AuditedChannels({ states, changes, now });
  const happened: Happened = async (event) =>
    (await credentials.happened(event)) ??
    (await channels.happened(event)) ??
    (await rulings.happened(event)) ??
    (await tokens.happened(event));
  const settle = () => changes.settleAgain(happened, settleInterval);
  return { store, tokens, credentials, channels, rulings, audit, tenants, settle, now: clock.now };
}

const administration = openAdministration();
const refusals = new LimitedRefusals(administration.audit);

/** A capability's rows are a line here. */
const rows = [
  ...tokenRoutes(administration),
  ...credentialRoutes(administration),
  ...channelRoutes(administration),
  ...blockRoutes({ ...administration, access: known }),
  ...overviewRoutes(administration),
];

export const handler = createApiHandler({
  name: "admin",
  handlers: {
    site: siteHandler(rows, known, (request, route) => refusals.write(refusalOf(request, route, clock.now()))),
  },
  identityKeys: new IdentityKeys(() => openSecret(edgeSecret, region), clock.now),
  access: known,
  now: clock.now,
  begin: () => {},
  traceId,
  version: functionVersion(),
  write: writeLine,
});
