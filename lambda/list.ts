import { openIndex, Reader } from "./aws/open-reader.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { serveIndex } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_TABLE, MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("list");
const settings = readSettings("list");
const reader = new Reader({ name: "list", edgeSecret, settings, clock, traceId, write: console.log });
const { isPrivate } = reader;
const parts = { fill: reader.openFillPlane(MODFRONT_FILL), index: openIndex(MODFRONT_TABLE), clock, isPrivate };

export const handler = reader.function({ list: reader.wrap((routed) => serveIndex(parts, routed)) });
