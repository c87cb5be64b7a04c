import { writeLine } from "./aws/report-line.ts";
import { openIndex, ServeFunction } from "./aws/serve-function.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { serveIndex } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_TABLE, MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("list");
const settings = readSettings("list");
const serving = new ServeFunction({
  name: "list",
  edgeSecret,
  settings,
  clock,
  traceId,
  version: functionVersion(),
  write: writeLine,
});
const { isPrivate } = serving;
const parts = {
  fill: serving.openFillPlane(MODFRONT_FILL),
  index: openIndex(MODFRONT_TABLE),
  clock,
  isPrivate,
  apart: new Set(settings.apart),
};

export const handler = serving.answerWith({
  list: serving.handlerOf((routed, request) => serveIndex(parts, routed, request)),
});
