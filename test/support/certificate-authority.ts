import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificate } from "./certificate.ts";

export interface IssuedCertificate {
  /** As openssl takes it: `"/O=Corp/CN=build-1"`. */
  readonly subject: string;
  /** It has ended long ago. */
  readonly expired?: boolean;
  /** Lines of extensions in place of those of a client's certificate. */
  readonly extensions?: string;
}

/** A certificate authority of a test, whose files lie in a folder of the test. */
export class CertificateAuthority {
  /** The file with its own certificate. */
  readonly cert: string;
  readonly #folder: string;
  readonly #key: string;
  #issued = 0;

  constructor(folder: string, name: string) {
    this.#folder = join(folder, name);
    mkdirSync(this.#folder);
    [this.cert, this.#key] = [join(this.#folder, "ca.pem"), join(this.#folder, "ca-key.pem")];
    const self = ["req", "-x509", "-days", "2", "-subj", `/CN=${name}`, "-out", this.cert];
    openssl([...self, ...newKey(this.#key)]);
  }

  issue({ subject, expired = false, extensions = "extendedKeyUsage=clientAuth" }: IssuedCertificate): Certificate {
    const name = join(this.#folder, `client-${++this.#issued}`);
    const [cert, key, request, file] = [`${name}.pem`, `${name}-key.pem`, `${name}.csr`, `${name}.ext`];
    openssl(["req", "-subj", subject, "-out", request, "-utf8", ...newKey(key)]);
    writeFileSync(file, `${extensions}\n`);
    const from = ["-in", request, "-out", cert, "-extfile", file];
    if (expired) this.#issueInThePast(name, from);
    else openssl(["x509", "-req", "-days", "1", "-CA", this.cert, "-CAkey", this.#key, "-CAcreateserial", ...from]);
    return { cert, key };
  }

  /** Only `openssl ca` takes any time, and it wants a database. */
  #issueInThePast(name: string, from: readonly string[]): void {
    const [config, database, serial] = [`${name}.cnf`, `${name}.txt`, `${name}.srl`];
    writeFileSync(database, "");
    writeFileSync(serial, "01\n");
    const policy = "[any]\ncommonName=optional\norganizationName=optional\n";
    const places = `database=${database}\nserial=${serial}\nnew_certs_dir=${this.#folder}\n`;
    writeFileSync(config, `[ca]\ndefault_ca=own\n[own]\n${places}default_md=sha256\npolicy=any\n${policy}`);
    const when = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
    const by = ["-cert", this.cert, "-keyfile", this.#key];
    openssl(["ca", "-batch", "-notext", "-config", config, ...by, ...when, ...from]);
  }
}

/** What `tls.connect` and `https.request` take of a certificate. */
export function shown({ cert, key }: Certificate): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

function newKey(file: string): readonly string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file];
}

function openssl(args: readonly string[]): void {
  const made = spawnSync("openssl", args, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`openssl ${args[0]} failed: ${made.stderr}`);
}
