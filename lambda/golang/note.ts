// Port of golang.org/x/mod/sumdb/note: signed notes, Ed25519 only.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as ed25519Sign,
  verify as ed25519Verify,
  randomBytes,
} from "node:crypto";
import { CodedError } from "./coded-error.ts";
import { decodeBase64, encodeBase64 } from "./encoding.ts";

/** What can be wrong with a note or with the text form of a key. */
export type NoteErrorCode =
  | "note-malformed-key"
  | "note-unknown-algorithm"
  | "note-key-hash-mismatch"
  | "note-malformed"
  | "note-unverified"
  | "note-ambiguous-verifier"
  | "note-invalid-signature";

/** Checks signatures of one key. `keyHash` is the 32-bit number that names the key beside `name`. */
export interface Verifier {
  readonly name: string;
  readonly keyHash: number;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** Signs with one key, here or far away (KMS). */
export interface Signer {
  readonly name: string;
  readonly keyHash: number;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One signature line: who signed, the key's hash, and base64 of 4 bytes of key hash followed by the signature. */
export interface Signature {
  readonly name: string;
  readonly hash: number;
  readonly base64: string;
}

/** A note: text ending in a newline, signatures that were verified, and those of keys nobody here knows. */
export interface Note {
  readonly text: string;
  readonly sigs: readonly Signature[];
  readonly unverifiedSigs: readonly Signature[];
}

const ed25519 = 1;
const signaturePrefix = "— ";
const maxSignatures = 100;

/**
 * Returns the verifier for a key in the form `name+hash+base64`, such as the one that follows `GOSUMDB=`.
 *
 * Throws "note-malformed-key", "note-unknown-algorithm" or "note-key-hash-mismatch".
 */
export function newVerifier(vkey: string): Verifier {
  const { name, hash, algorithm, key, keyData } = parseKey(vkey);
  if (hash !== keyHash(name, keyData)) throw keyHashMismatch();
  checkEd25519(algorithm, key);
  const publicKey = createPublicKey({ key: derOf(publicKeyHeader, key), format: "der", type: "spki" });
  const verify = (message: Uint8Array, signature: Uint8Array) =>
    signature.length === 64 && ed25519Verify(undefined, message, publicKey, signature);
  return { name, keyHash: hash, verify };
}

/**
 * Returns the signer for a key in the form `PRIVATE+KEY+name+hash+base64`.
 *
 * Throws "note-malformed-key", "note-unknown-algorithm" or "note-key-hash-mismatch".
 */
export function newSigner(skey: string): Signer {
  const marker = "PRIVATE+KEY+";
  if (!skey.startsWith(marker)) throw malformedKey();
  const { name, hash, algorithm, key } = parseKey(skey.slice(marker.length));
  checkEd25519(algorithm, key);
  const privateKey = privateKeyOf(key);
  if (hash !== keyHash(name, verifierKeyData(publicKeyOf(privateKey)))) throw keyHashMismatch();
  return { name, keyHash: hash, sign: (message) => new Uint8Array(ed25519Sign(undefined, message, privateKey)) };
}

/** Returns a new key pair for `name`: `skey` for newSigner, which is secret, and `vkey` for newVerifier. */
export function generateKey(name: string): { readonly skey: string; readonly vkey: string } {
  if (!isValidName(name)) throw malformedKey();
  const seed = new Uint8Array(randomBytes(32));
  const publicKey = publicKeyOf(privateKeyOf(seed));
  const vkey = newEd25519VerifierKey(name, publicKey);
  const hash = formatHash(keyHash(name, verifierKeyData(publicKey)));
  return { skey: `PRIVATE+KEY+${name}+${hash}+${encodeBase64(Uint8Array.of(ed25519, ...seed))}`, vkey };
}

/** Returns the form that newVerifier reads for an Ed25519 public key of 32 bytes. */
export function newEd25519VerifierKey(name: string, publicKey: Uint8Array): string {
  if (!isValidName(name) || publicKey.length !== 32) throw malformedKey();
  const keyData = verifierKeyData(publicKey);
  return `${name}+${formatHash(keyHash(name, keyData))}+${encodeBase64(keyData)}`;
}

/**
 * Returns the note in `message`, every signature by one of `verifiers` checked.
 *
 * Throws "note-malformed", "note-invalid-signature" when a known key's signature is wrong, "note-unverified" when no
 * known key signed, "note-ambiguous-verifier" when two verifiers have the signature's name and hash.
 */
export function open(message: Uint8Array, verifiers: readonly Verifier[]): Note {
  const whole = decodeText(message);
  const split = whole?.lastIndexOf("\n\n") ?? -1;
  if (whole === undefined || split < 0) throw malformedNote();
  const text = whole.slice(0, split + 1);
  const block = whole.slice(split + 2);
  if (!block.endsWith("\n")) throw malformedNote();
  // Cut before splitting: a note of a megabyte of newlines must not become a million strings.
  const lines = block.slice(0, -1).split("\n", maxSignatures + 1);
  if (lines.length > maxSignatures) throw malformedNote();
  const parsed = lines.map(parseSignatureLine);

  const signed = Buffer.from(text, "utf8");
  const sigs = new Map<string, Signature>();
  const unverifiedSigs = new Map<string, Signature>();
  for (const { signature, bytes } of parsed) {
    const key = `${signature.name} ${signature.hash}`;
    const known = verifiers.filter(({ name, keyHash }) => name === signature.name && keyHash === signature.hash);
    if (known.length > 1) {
      throw new CodedError("note-ambiguous-verifier", `two verifiers are known for key ${describeKey(signature)}`);
    }
    if (known[0] === undefined) unverifiedSigs.set(`${key} ${signature.base64}`, signature);
    else if (!sigs.has(key)) {
      if (!known[0].verify(signed, bytes)) {
        throw new CodedError("note-invalid-signature", `invalid signature for key ${describeKey(signature)}`);
      }
      sigs.set(key, signature);
    }
  }
  if (sigs.size === 0) throw new CodedError("note-unverified", "the note has no signature by a known key");
  return { text, sigs: [...sigs.values()], unverifiedSigs: [...unverifiedSigs.values()] };
}

/**
 * Returns the encoded note with a signature by each signer; signatures it had stay, unless one of the signers replaces
 * them.
 *
 * Throws "note-malformed" for a text without a newline at its end and for signatures that do not fit their hash.
 */
export async function sign(
  note: Pick<Note, "text"> & Partial<Note>,
  ...signers: readonly Signer[]
): Promise<Uint8Array> {
  if (!note.text.endsWith("\n")) throw malformedNote();
  const message = Buffer.from(note.text, "utf8");
  const added: string[] = [];
  for (const signer of signers) {
    if (!isValidName(signer.name)) throw malformedKey();
    const bytes = Buffer.concat([hashBytes(signer.keyHash), await signer.sign(message)]);
    added.push(`${signaturePrefix}${signer.name} ${encodeBase64(bytes)}\n`);
  }
  const replaced = new Set(signers.map((signer) => `${signer.name} ${signer.keyHash}`));
  const kept = [...(note.sigs ?? []), ...(note.unverifiedSigs ?? [])].filter((signature) => {
    if (!isValidName(signature.name)) throw malformedNote();
    return !replaced.has(`${signature.name} ${signature.hash}`);
  });
  return Buffer.from([note.text, "\n", ...kept.map(formatSignature), ...added].join(""), "utf8");
}

function formatSignature({ name, hash, base64 }: Signature): string {
  const bytes = decodeBase64(base64);
  if (bytes === undefined || bytes.length < 4 || readHash(bytes) !== hash) throw malformedNote();
  return `${signaturePrefix}${name} ${base64}\n`;
}

function parseSignatureLine(line: string): { readonly signature: Signature; readonly bytes: Uint8Array } {
  if (!line.startsWith(signaturePrefix)) throw malformedNote();
  const [name, base64] = cut(line.slice(signaturePrefix.length), " ");
  const bytes = decodeBase64(base64);
  if (!isValidName(name) || bytes === undefined || bytes.length < 5) throw malformedNote();
  return { signature: { name, hash: readHash(bytes), base64 }, bytes: bytes.subarray(4) };
}

/** The text of the bytes, or undefined unless they are UTF-8 without control characters other than newline. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\x00-\x09\x0b-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

interface KeyParts {
  readonly name: string;
  readonly hash: number;
  readonly algorithm: number;
  readonly key: Uint8Array;
  /** The algorithm byte and the key: what is hashed of a public key. */
  readonly keyData: Uint8Array;
}

function parseKey(text: string): KeyParts {
  const [name, rest] = cut(text, "+");
  const [hash, base64] = cut(rest, "+");
  const keyData = decodeBase64(base64);
  const algorithm = keyData?.[0];
  if (!isValidName(name) || !/^[0-9a-fA-F]{8}$/.test(hash) || keyData === undefined || algorithm === undefined) {
    throw malformedKey();
  }
  return { name, hash: Number.parseInt(hash, 16), algorithm, key: keyData.subarray(1), keyData };
}

function checkEd25519(algorithm: number, key: Uint8Array): void {
  if (algorithm !== ed25519) throw new CodedError("note-unknown-algorithm", "the key's algorithm is not Ed25519");
  if (key.length !== 32) throw malformedKey();
}

/** Go's unicode.IsSpace, which differs from JavaScript's \s: U+0085 is in it, U+FEFF is not. */
const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function isValidName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !space.test(name) && !name.includes("+");
}

function cut(text: string, separator: string): [before: string, after: string] {
  const i = text.indexOf(separator);
  return i < 0 ? [text, ""] : [text.slice(0, i), text.slice(i + separator.length)];
}

function keyHash(name: string, keyData: Uint8Array): number {
  return readHash(createHash("sha256").update(`${name}\n`, "utf8").update(keyData).digest());
}

function verifierKeyData(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(ed25519, ...publicKey);
}

function readHash(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function hashBytes(hash: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(hash);
  return bytes;
}

function formatHash(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}

// The fixed DER bytes before a raw Ed25519 key (RFC 8410); node:crypto takes no raw keys.
const publicKeyHeader = "302a300506032b6570032100";
const privateKeyHeader = "302e020100300506032b657004220420";

function derOf(header: string, key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(header, "hex"), key]);
}

function privateKeyOf(seed: Uint8Array) {
  return createPrivateKey({ key: derOf(privateKeyHeader, seed), format: "der", type: "pkcs8" });
}

function publicKeyOf(privateKey: ReturnType<typeof createPrivateKey>): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32));
}

function describeKey({ name, hash }: Signature): string {
  return `${name}+${formatHash(hash)}`;
}

function malformedKey(): CodedError<NoteErrorCode> {
  return new CodedError("note-malformed-key", "the key is malformed");
}

function keyHashMismatch(): CodedError<NoteErrorCode> {
  return new CodedError("note-key-hash-mismatch", "the key's hash does not fit its name and key");
}

function malformedNote(): CodedError<NoteErrorCode> {
  return new CodedError("note-malformed", "the note is malformed");
}
