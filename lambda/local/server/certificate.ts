import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { CodedError } from "../../golang/coded-error.ts";
import type { Settings } from "./settings.ts";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the files of the settings, if they name any. Throws `CodedError` "start" when they do not belong together. */
export function readCertificate(tls: Settings["tls"]): Certificate | undefined {
  if (tls === undefined) return undefined;
  try {
    const pair = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new CodedError("start", "the files of --tls-cert and --tls-key are no certificate and its key", { cause });
  }
}
