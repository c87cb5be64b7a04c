import { createHash } from "node:crypto";
import { hashGoMod } from "../../golang/dirhash.ts";
import type { Claim } from "../store/claim-store.ts";
import type { ModuleVersion } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";
import type { Unit } from "./unit.ts";

/** What a unit is held to, once it has come in. */
export function claimOf({ info, mod, zip }: Unit): Claim {
  return { zip: zip.facts.hash, goMod: hashGoMod(mod.bytes), info: sha256(info.bytes) };
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Throws `ServedError` "claim-mismatch" when the zip or go.mod of `ours` is not what the standing claim says. */
export function checkClaim(module: ModuleVersion, standing: Claim, ours: Claim): void {
  if (ours.zip !== standing.zip) throw claimMismatch(module, "zip", standing.zip, ours.zip);
  if (ours.goMod !== standing.goMod) throw claimMismatch(module, "go.mod", standing.goMod, ours.goMod);
}

/** The refusal of a file that is not the one that came in first; both hashes are named, so that anyone can check who is right. */
export function claimMismatch(module: ModuleVersion, file: string, first: string, now: string): ServedError {
  const { path, version } = module;
  return new ServedError(
    "claim-mismatch",
    `SECURITY ERROR: the ${file} of ${path}@${version} is not the one that came in first: it was ${first} and is now ${now}; a version never changes, so bring the first one back or release the change as a new version`,
  );
}

/** Like `claimMismatch`, for the `.info` that came in first and is not kept any more. */
export function infoMismatch(module: ModuleVersion, standing: Claim, ours: Claim): ServedError {
  return claimMismatch(module, ".info (time and origin)", `SHA-256 ${standing.info}`, `SHA-256 ${ours.info}`);
}

/** The three names under which the files of a claim are staged: each is a SHA-256 in hex that the claim has. */
export function stagedNames({ zip, goMod, info }: Claim): Readonly<Record<"zip" | "mod" | "info", string>> {
  return { zip: hexOf(zip), mod: hexOf(goMod), info };
}

/** `"h1:AAAA…="` in hex: an h1 is a SHA-256. */
function hexOf(h1: string): string {
  return Buffer.from(h1.slice("h1:".length), "base64").toString("hex");
}
