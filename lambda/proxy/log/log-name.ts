import { createHash } from "node:crypto";

/**
 * The name of a log that was given none, made of its public key: another key is another log.
 *
 * `"1a2b3c4d.modfront"`, and with the domain it is served under `"1a2b3c4d.go.corp.example"`.
 */
export function defaultLogName(publicKey: Uint8Array, domain = "modfront"): string {
  return `${createHash("sha256").update(publicKey).digest("hex").slice(0, 8)}.${domain}`;
}
