import { tenantPatterns } from "./access/tenants.ts";
import { createApiHandler } from "./aws/api-handler.ts";
import { readSigningKey } from "./aws/deployed-signing-key.ts";
import { openUsedTokens } from "./aws/dynamo-used-tokens.ts";
import { IdentityKeys } from "./aws/identity-keys.ts";
import { openKeyValues } from "./aws/key-value-store.ts";
import { openAuditEvents } from "./aws/open-deployed-audit.ts";
import { openSecret } from "./aws/open-secret.ts";
import { writeLine } from "./aws/report-line.ts";
import { viewerCertificate } from "./aws/viewer-certificate.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { credentialsHeader } from "./edge/decide.ts";
import { Exchange } from "./exchange/exchange.ts";
import { exchangeRoutes } from "./exchange/exchange-routes.ts";
import { clientAddress } from "./http/client-address.ts";
import type { HttpHandler } from "./http/handler.ts";
import { siteHandler } from "./http/site.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";
import { openDocuments } from "./upstream/http/open-documents.ts";

// Tokens for ID tokens and client certificates, of a deployment: what makes a token for whoever has neither a token nor
// AWS credentials, and does nothing else.

const environment = readEnvironment("token");
const settings = readSettings("token");
const { MODFRONT_EDGE_SECRET: edgeSecret, MODFRONT_PRIMARY_REGION: region } = environment;
const known = {
  anonymous: settings.access.anonymous ?? "none",
  private: settings.private.join(","),
  tenants: tenantPatterns(settings.tenants),
};

const keyValues = openKeyValues();
const parts = { issuers: settings.oidc, subjects: settings.subjects, now: clock.now };
const exchange = new Exchange({
  ...parts,
  tenants: Object.keys(settings.tenants),
  read: openDocuments(settings, { version: settings.version }).read,
  used: openUsedTokens(environment.MODFRONT_TABLE, region),
  audit: openAuditEvents(environment.MODFRONT_BUCKET, region),
  signingKey: () => readSigningKey(keyValues, environment.MODFRONT_KEY_VALUE_STORE),
});
const answer = siteHandler(exchangeRoutes({ ...parts, exchange, clientOf: clientAddress }), known);

/** What proves who asks, by the names that it has behind the edge. */
const site: HttpHandler = (request) => {
  const { headers } = request;
  const certificate = () => (settings.subjects.length > 0 ? viewerCertificate(headers) : undefined);
  return answer({ ...request, headers: { ...headers, authorization: headers[credentialsHeader] }, certificate });
};

export const handler = createApiHandler({
  name: "token",
  handlers: { site },
  identityKeys: new IdentityKeys(() => openSecret(edgeSecret, region), clock.now),
  access: known,
  now: clock.now,
  begin: () => {},
  traceId,
  version: functionVersion(),
  write: writeLine,
});
