import { Reader } from "./aws/open-reader.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { serveFile } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("info");
const settings = readSettings("info");
const reader = new Reader({ name: "info", edgeSecret, settings, clock, traceId, write: console.log });
const parts = { fill: reader.openFillPlane(MODFRONT_FILL), isPrivate: reader.isPrivate };

export const handler = reader.function({ info: reader.wrap((routed) => serveFile(parts, routed)) });
