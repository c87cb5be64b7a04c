import { writeLine } from "./aws/report-line.ts";
import { ServeFunction } from "./aws/serve-function.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { gosumdbRoutes } from "./http/gosumdb.ts";
import { metricsRoutes } from "./http/metrics.ts";
import { nameRoutes, plainText, probeRoutes } from "./http/probes.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_EDGE_SECRET: edgeSecret, MODFRONT_GOSUMDB } = readEnvironment("site");
const settings = readSettings("site");
const serving = new ServeFunction({
  name: "site",
  edgeSecret,
  settings,
  clock,
  traceId,
  version: functionVersion(),
  write: writeLine,
});

/** What is answered under `/-/`, and at `/`, of a deployment: a capability's rows are a line here. */
export const handler = serving.answerSite([
  // Whoever gets here passed the gate, and with it the edge, the API and the secret that joins them.
  ...probeRoutes({ check: async () => {} }),
  ...metricsRoutes({ contentType: plainText, format: () => "metrics are in CloudWatch, in the namespace modfront\n" }),
  ...gosumdbRoutes(MODFRONT_GOSUMDB),
  ...nameRoutes,
]);
