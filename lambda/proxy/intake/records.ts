import { recordedHashes } from "../../golang/sumdb.ts";
import type { Claim } from "../store/claim-store.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LogRecord, RecordProof } from "../store/log-store.ts";
import type { RecordLog, RecordReads } from "../store/record-log.ts";
import { ServedError } from "../store/served-error.ts";

/** Our own checksum database as intake needs it: what it said before, and what it is to say. */
export interface IntakeLog {
  readonly log: RecordLog;
  /** Absent where whoever fills cannot read the rows: then only an append tells. */
  readonly reads?: Pick<RecordReads, "lookup"> | undefined;
}

/** The record of a private version by its claim, and of a public one by what is proved of it. */
export function recordOf(
  module: ModuleVersion,
  { zip, goMod, proof }: Pick<Claim, "zip" | "goMod"> & { readonly proof?: RecordProof | undefined },
): LogRecord {
  return { module, zip, goMod, proof };
}

/**
 * Throws `ServedError` "record-mismatch" when the log has other hashes of the version: asked before a claim that would
 * contradict it, since the claims may have been lost and the log be there.
 */
export async function checkRecord(
  { reads }: IntakeLog,
  module: ModuleVersion,
  ours: Pick<Claim, "zip" | "goMod">,
): Promise<void> {
  const logged = await reads?.lookup(module);
  if (logged === undefined) return;
  const { zip, mod } = recordedHashes(logged.text, module.path, module.version);
  if (zip[0] !== ours.zip) throw recordMismatch(module, "zip", zip[0], ours.zip);
  if (mod[0] !== ours.goMod) throw recordMismatch(module, "go.mod", mod[0], ours.goMod);
}

function recordMismatch({ path, version }: ModuleVersion, file: string, logged = "none", now: string): ServedError {
  return new ServedError(
    "record-mismatch",
    `SECURITY ERROR: the ${file} of ${path}@${version} is not the one in this proxy's log: there it is ${logged} and is now ${now}; a version never changes, so bring the first one back or release the change as a new version`,
  );
}
