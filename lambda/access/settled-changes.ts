import type { Happened } from "./audit/audited-changes.ts";

/**
 * Whether an intended change has happened, whatever it was: of access, of which `access` knows, or that a fork of a
 * checksum database was decided, of which `decided` knows by the database's name.
 */
export function changeHappened(
  access: Happened,
  decided: (database: string) => Promise<boolean | undefined>,
): Happened {
  return async (event) => (event.action === "log.keep-ours" ? await decided(event.target) : await access(event));
}
