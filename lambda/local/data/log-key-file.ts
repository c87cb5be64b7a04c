import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, linkSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { CodedError } from "../../golang/coded-error.ts";
import { encodeBase64 } from "../../golang/encoding.ts";
import { newEd25519VerifierKey, newSigner } from "../../golang/note.ts";
import type { LogSigner } from "../../proxy/store/log-signer.ts";
import { temporaryName } from "../../runtime/temporary-files.ts";
import { sync, writeDurable } from "./durable-files.ts";
import { errno, fileFailure } from "./storage-failure.ts";

/** The name of the key's file in a data folder. */
export const logKeyFile = "log-key.pem";

/** Bits of a mode: what others than the owner may. */
const ofOthers = 0o077;

/** The key pair that signs the log of one machine. */
export interface LogKey {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Reads the key of the log in a data folder, an Ed25519 key in PKCS #8 that openssl reads too; made where there is none.
 *
 * It is made once: of two processes that start at the same moment both get the key of the one that was first, whole and on
 * the disk. Throws `CodedError` "log-key" for a file that others may read or that is no such key, "store-failed" when the
 * medium fails.
 */
export async function openLogKey(data: string): Promise<LogKey> {
  const path = join(data, logKeyFile);
  try {
    return parseKey(readPrivate(path) ?? (await makeKey(path)));
  } catch (error) {
    throw fileFailure(error);
  }
}

/** Signs for the log of that name. */
export function logSigner({ privateKey, publicKey }: LogKey, name: string): LogSigner {
  const verifierKey = newEd25519VerifierKey(name, publicKey);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const [, hash] = verifierKey.split("+");
  const signer = newSigner(`PRIVATE+KEY+${name}+${hash}+${encodeBase64(Uint8Array.of(1, ...seed))}`);
  return { ...signer, verifierKey };
}

/** The text of the file; `undefined` where there is none. */
function readPrivate(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    // Of what was opened, so that nobody can put another file in its place.
    if (process.platform !== "win32" && (fstatSync(file).mode & ofOthers) !== 0)
      throw new CodedError("log-key", `others may read the key of the log: chmod 600 ${logKeyFile} in the data folder`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Linked to its name when it is whole: link(2) refuses a name that is taken. */
async function makeKey(path: string): Promise<string> {
  // Where a later start sweeps it, should we die here.
  const temporary = join(dirname(path), "tmp", temporaryName());
  mkdirSync(dirname(temporary), { recursive: true });
  const { privateKey } = generateKeyPairSync("ed25519");
  try {
    await writeDurable(temporary, Buffer.from(privateKey.export({ format: "pem", type: "pkcs8" })), 0o600);
    linkSync(temporary, path);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  // Also when somebody else was first: they may have crashed before it got here.
  await sync(dirname(path));
  return readPrivate(path) ?? "";
}

function parseKey(pem: string): LogKey {
  try {
    const privateKey = createPrivateKey({ key: pem, format: "pem", type: "pkcs8" });
    if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("another kind of key");
    const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
    return { privateKey, publicKey: new Uint8Array(spki.subarray(-32)) };
  } catch (cause) {
    const remedy = "restore it; a new key needs a new name of the log, which every GOSUMDB has to be set to";
    throw new CodedError("log-key", `${logKeyFile} in the data folder is no Ed25519 key: ${remedy}`, { cause });
  }
}
