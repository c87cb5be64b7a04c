import { Reader } from "./aws/open-reader.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { serveFile } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("mod");
const settings = readSettings("mod");
const reader = new Reader({ name: "mod", edgeSecret, settings, clock, traceId, write: console.log });
const parts = { fill: reader.openFillPlane(MODFRONT_FILL), isPrivate: reader.isPrivate };

export const handler = reader.function({ mod: reader.wrap((routed) => serveFile(parts, routed)) });
