import type { Agent as HttpAgent } from "node:http";

/**
 * node:http for this project, and in its bundles for their dependencies too.
 *
 * An import of node:http reads all of its exports, also those that load node's own undici for `WebSocket`: 14 MB and
 * 50 ms of CPU in each process, for nothing. Got this way, none is read that is not named.
 */
const http = process.getBuiltinModule("node:http");

// biome-ignore lint/style/noDefaultExport: as node:http has it, for dependencies
export default http;
export const { Agent, createServer, request, STATUS_CODES } = http;
export type Agent = HttpAgent;
