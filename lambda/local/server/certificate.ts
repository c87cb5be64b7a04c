import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { CodedError } from "../../golang/coded-error.ts";
import type { Settings } from "./settings.ts";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authorities of clients' certificates, for which they are then asked. */
  readonly ca?: Buffer;
}

/** Reads the files of the settings, if they name any. Throws `CodedError` "start" when they do not belong together. */
export function readCertificate(tls: Settings["tls"]): Certificate | undefined {
  if (tls === undefined) return undefined;
  const clients = tls.clientCa === undefined ? {} : { ca: readAuthorities(tls.clientCa) };
  try {
    const pair = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    createSecureContext(pair);
    return { ...pair, ...clients };
  } catch (cause) {
    throw new CodedError("start", "the files of --tls-cert and --tls-key are no certificate and its key", { cause });
  }
}

/** What is no certificate at all node would take for an empty list. */
function readAuthorities(file: string): Buffer {
  try {
    const ca = readFileSync(file);
    new X509Certificate(ca);
    createSecureContext({ ca });
    return ca;
  } catch (cause) {
    throw new CodedError("start", "the file of --tls-client-ca has no certificates of authorities", { cause });
  }
}

/**
 * Returns the certificate of the client at the other end, where one of the authorities has signed it. Those of others, and
 * clients without one, are let in as if nobody had asked.
 */
export function clientCertificate(socket: Socket): X509Certificate | undefined {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
}
