import { Reader } from "./aws/open-reader.ts";
import { readEnvironment, readSettings, traceId } from "./config/env.ts";
import { sumdbVerifier } from "./proxy/checksums/known-sumdb.ts";
import { serveSumdb } from "./proxy/serve/serve.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const { MODFRONT_FILL, MODFRONT_EDGE_SECRET: edgeSecret } = readEnvironment("sumdb");
const settings = readSettings("sumdb");
const reader = new Reader({ name: "sumdb", edgeSecret, settings, clock, traceId, write: console.log });
const sumdbName = sumdbVerifier(settings.sumdb.name)?.name;
const parts = { fill: reader.openFillPlane(MODFRONT_FILL), isPrivate: reader.isPrivate, sumdbName };

export const handler = reader.function({ sumdb: reader.wrap((routed) => serveSumdb(parts, routed)) });
