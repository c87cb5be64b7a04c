import { isValidRecordText } from "../../golang/tlog.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LogRecord } from "../store/log-store.ts";
import { isVersionOf } from "../store/module-version.ts";
import { ServedError } from "../store/served-error.ts";

/** SHA-256 in base64, as x/mod dirhash writes it. */
const hash = /^h1:[A-Za-z0-9+/]{43}=$/;

/** True when a record says something of a module version that exists, in the form that go reads. */
export function isRecord({ module, zip, goMod }: LogRecord): boolean {
  return isVersionOf(module.path, module.version) && hash.test(zip) && hash.test(goMod);
}

/**
 * Returns the text of a record, the two lines of go.sum that it is.
 *
 * Throws "internal" for a record that is none: whoever appends has checked what he appends.
 */
export function recordText(record: LogRecord): Uint8Array {
  const { path, version } = record.module;
  if (!isRecord(record)) throw new ServedError("internal", "something was to enter the log that is no record");
  return Buffer.from(`${path} ${version} ${record.zip}\n${path} ${version}/go.mod ${record.goMod}\n`);
}

const lines = /^(\S+) (\S+) (h1:\S+)\n\1 \2\/go\.mod (h1:\S+)\n$/;

/** Returns the record whose text this is, or `undefined` when it is none that `recordText` wrote. */
export function parseRecordText(text: Uint8Array): Omit<LogRecord, "proof"> | undefined {
  if (!isValidRecordText(text)) return undefined;
  const [, path = "", version = "", zip = "", goMod = ""] = lines.exec(Buffer.from(text).toString()) ?? [];
  const record = { module: { path, version }, zip, goMod };
  return isRecord({ ...record, proof: undefined }) ? record : undefined;
}

/** A module version as a key of maps: no path has an "@". */
export function recordKey({ path, version }: ModuleVersion): string {
  return `${path}@${version}`;
}
