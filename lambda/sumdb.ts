import { writeLine } from "./aws/report-line.ts";
import { ServeFunction } from "./aws/serve-function.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { newVerifier } from "./golang/note.ts";
import { sumdbVerifier } from "./proxy/checksums/known-sumdb.ts";
import { serveSumdb } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret, MODFRONT_GOSUMDB } = readEnvironment("sumdb");
const settings = readSettings("sumdb");
const serving = new ServeFunction({
  name: "sumdb",
  edgeSecret,
  settings,
  clock,
  traceId,
  version: functionVersion(),
  write: writeLine,
});
const mirrored = sumdbVerifier(settings.sumdb.name)?.name;
const parts = {
  fill: serving.openFillPlane(MODFRONT_FILL),
  isPrivate: serving.isPrivate,
  databases: [
    { name: newVerifier(MODFRONT_GOSUMDB).name, isOurs: true },
    ...(mirrored === undefined ? [] : [{ name: mirrored, isOurs: false }]),
  ],
  access: serving.access,
};

export const handler = serving.answerWith({
  sumdb: serving.handlerOf((routed, { identity }) => serveSumdb(parts, routed, identity)),
});
