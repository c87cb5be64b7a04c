import { ServeFunction } from "./aws/serve-function.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { live, ready, textAnswer } from "./http/probes.ts";
import { sumdbVerifier } from "./proxy/checksums/known-sumdb.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("site");
const settings = readSettings("site");
const serving = new ServeFunction({ name: "site", edgeSecret, settings, clock, traceId, write: console.log });
const sumdbName = sumdbVerifier(settings.sumdb.name)?.name ?? "off";

export const handler = serving.answerWith({
  live,
  // Whoever gets here passed the gate, and with it the edge, the API and the secret that joins them.
  ready: ready(async () => {}),
  metrics: async () => textAnswer("metrics are in CloudWatch, in the namespace modfront\n"),
  gosumdb: async () => textAnswer(`${sumdbName}\n`),
  page: async () => textAnswer("modfront\n"),
});
