import type { ChecksumDatabase } from "./checksum-database.ts";
import type { Responder } from "./scripted-upstream.ts";

/** Answers every path as the checksum database does, for a `ScriptedUpstream`. */
export function serveDatabase(database: ChecksumDatabase): Responder {
  return async ({ path }) => {
    const body = await database.get(path, 10_000_000).catch(() => undefined);
    return body && { body };
  };
}
