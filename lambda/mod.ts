import { writeLine } from "./aws/report-line.ts";
import { ServeFunction } from "./aws/serve-function.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { serveFile } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("mod");
const settings = readSettings("mod");
const serving = new ServeFunction({
  name: "mod",
  edgeSecret,
  settings,
  clock,
  traceId,
  version: functionVersion(),
  write: writeLine,
});
const parts = { fill: serving.openFillPlane(MODFRONT_FILL), isPrivate: serving.isPrivate };

export const handler = serving.answerWith({
  mod: serving.handlerOf((routed, request) => serveFile(parts, routed, request)),
});
