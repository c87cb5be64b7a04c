import { isCodedError } from "../../golang/coded-error.ts";
import { hashGoMod } from "../../golang/dirhash.ts";
import { modulePath, parseLax } from "../../golang/modfile.ts";
import type { VersionHashes } from "../checksums/checksums.ts";
import { checkInfo, formatInfo, parseInfo } from "../sources/version-info.ts";
import type { ModuleVersion } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";
import type { ZipFacts } from "./zip-inspector.ts";

/** The `.info` of a version as it is stored and served, read from somebody's. Throws `ServedError` "upstream-failed". */
export function readInfo(module: ModuleVersion, bytes: Uint8Array): Uint8Array {
  const info = parseInfo(module.path, bytes);
  checkInfo(module, info);
  return formatInfo(info);
}

/**
 * Holds a go.mod against the checksum database, or where that is not asked, to naming a module at all.
 *
 * Throws `ServedError` "checksum-mismatch" or "upstream-failed".
 */
export function checkGoMod(module: ModuleVersion, bytes: Uint8Array, hashes: VersionHashes | undefined): void {
  const where = `go.mod of ${module.path}@${module.version}`;
  if (hashes === undefined && modulePath(bytes) === "")
    throw new ServedError("upstream-failed", `the ${where} names no module`);
  if (hashes !== undefined && hashGoMod(bytes) !== hashes.goMod) throw mismatch(where);
}

/**
 * Holds what was found in a zip against the checksum database and the go.mod that is served beside it.
 *
 * Throws `ServedError` "checksum-mismatch" or "invalid-module".
 */
export function checkZip(
  module: ModuleVersion,
  facts: ZipFacts,
  mod: Uint8Array,
  hashes: VersionHashes | undefined,
): void {
  const where = `zip of ${module.path}@${module.version}`;
  if (hashes !== undefined && facts.hash !== hashes.zip) throw mismatch(where);
  const goMod = goModOf(module, facts);
  const agree = hashes === undefined ? sayTheSame(goMod, mod) : Buffer.compare(goMod, mod) === 0;
  if (!agree) throw new ServedError("invalid-module", `the ${where} has another go.mod than the one served beside it`);
}

/** Bytes up to which a go.mod is read to be compared: it is read in one go, and hardly any honest one is longer. */
const comparedLimit = 64 * 1024;

/**
 * True when two go.mod files mean the same to the go command, which reads the one beside the zip and never compares them.
 *
 * Registries write theirs with other line ends, or without the last one; where no hash speaks for a byte, harm can only
 * come of what is read out of them.
 */
export function sayTheSame(one: Uint8Array, other: Uint8Array): boolean {
  if (Buffer.compare(one, other) === 0) return true;
  if (one.length > comparedLimit || other.length > comparedLimit) return false;
  try {
    return JSON.stringify(parseLax(one)) === JSON.stringify(parseLax(other));
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}

/** The go.mod of a zip, or the one that stands for a module without. */
export function goModOf(module: ModuleVersion, { goMod }: ZipFacts): Uint8Array {
  return goMod ?? new TextEncoder().encode(`module ${module.path}\n`);
}

function mismatch(where: string): ServedError {
  return new ServedError("checksum-mismatch", `SECURITY ERROR: the ${where} differs from the checksum database`);
}
