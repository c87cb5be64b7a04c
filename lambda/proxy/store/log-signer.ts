import type { Signer } from "../../golang/note.ts";

/**
 * Signs the heads of our own checksum database with one Ed25519 key, here or far away (KMS).
 *
 * Only the log's own process has one, and what it signs it composed itself (lambda/proxy/log). `name` is the name of the
 * log: clients remember a log by it, so that another key needs another name. However `sign` fails, the log makes
 * `ServedError` "log-unsigned" of it, and verifies what it returns with `verifierKey` before anybody sees it.
 */
export interface LogSigner extends Signer {
  /** `"name+hash+key"`, what follows `GOSUMDB=` and is served at `/-/gosumdb`. */
  readonly verifierKey: string;
}
