import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** The reason to skip what needs a certificate, or `false`: for node:test's `skip` option. */
export const skipWithoutOpenssl: string | false =
  spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed: no certificate can be made";

/** Files of a certificate that signs itself. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate in `folder`, for 127.0.0.1 or other names as openssl writes them: `"DNS:modules.example"`. */
export function makeCertificate(folder: string, names = "IP:127.0.0.1"): Certificate {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=modfront", "-addext", `subjectAltName=${names}`];
  const keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
  const made = spawnSync("openssl", ["req", "-x509", ...keys, "-out", cert, "-days", "2", ...subject]);
  if (made.status !== 0) throw new Error(`openssl failed: ${made.stderr}`);
  return { cert, key };
}
