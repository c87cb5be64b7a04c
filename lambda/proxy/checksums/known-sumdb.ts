import { newVerifier, open, type Verifier } from "../../golang/note.ts";
import { parseTree } from "../../golang/tlog.ts";

/** Verifier keys by name, as cmd/go/internal/modfetch/key.go has them. */
const knownKeys: Readonly<Record<string, string>> = {
  "sum.golang.org": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
};

/**
 * The verifier that a configured name means, as `GOSUMDB` would: a known name or a verifier key `name+hash+key`;
 * `undefined` for `off`. Throws `CodedError` for a name without a key.
 */
export function sumdbVerifier(name: string): Verifier | undefined {
  return name === "off" ? undefined : newVerifier(knownKeys[name] ?? name);
}

/** The number of records under a head that `verifier` signed, or `undefined` for any other note. */
export function signedTreeSize(verifier: Verifier | undefined, note: Uint8Array): bigint | undefined {
  if (verifier === undefined) return undefined;
  try {
    return parseTree(open(note, [verifier]).text).n;
  } catch {
    return undefined;
  }
}
