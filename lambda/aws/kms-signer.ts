import { GetPublicKeyCommand, type KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { newEd25519VerifierKey, newVerifier, type Signer, type Verifier } from "../golang/note.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { orStoreFailed } from "./aws-failure.ts";

/** Milliseconds that one call may take with its tries: whoever waits for a signature is told before he gives up himself. */
const patience = 8_000;

/** What comes before the 32 bytes of an Ed25519 key in the form in which KMS hands it out (RFC 8410). */
const publicKeyHeader = Buffer.from("302a300506032b6570032100", "hex");

/** KMS signs at most so many bytes in one piece, and of an Ed25519 message takes no digest. */
const messageLimit = 4096;

/** A key pair whose private half nobody has, as KMS knows it. */
export interface KmsKey {
  /** Its own name: an alias may lead to another key a moment later. */
  readonly arn: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Reads the public half of an Ed25519 key by its ARN or alias. One call.
 *
 * Throws `ServedError` "store-failed", also for a key that is none of Ed25519 or not made for signing.
 */
export async function readKmsKey(client: KMSClient, name: string): Promise<KmsKey> {
  return await orStoreFailed("reading the public key of the log", async () => {
    const found = await client.send(new GetPublicKeyCommand({ KeyId: name }), untilImpatient());
    const { KeyId: arn, PublicKey: der, KeyUsage: usage } = found;
    const isEd25519 = der?.length === publicKeyHeader.length + 32 && publicKeyHeader.equals(der.subarray(0, 12));
    if (arn === undefined || der === undefined || !isEd25519 || usage !== "SIGN_VERIFY")
      throw new Error("the key of the log is no Ed25519 key that signs");
    return { arn, publicKey: Uint8Array.from(der.subarray(publicKeyHeader.length)) };
  });
}

/**
 * Signs with a key of KMS, one call for each signature. What KMS answers is verified before it is believed, so that
 * nothing leaves here that is signed half or with another key.
 *
 * Throws `ServedError` "store-failed" when KMS fails or stays silent for 8 s, "internal" for a signature that does not fit.
 */
export class KmsSigner implements Signer {
  readonly name: string;
  readonly keyHash: number;
  /** `name+hash+key`: what goes behind `GOSUMDB=`. */
  readonly verifierKey: string;
  readonly #client: KMSClient;
  readonly #arn: string;
  readonly #verifier: Verifier;

  constructor(client: KMSClient, { arn, publicKey }: KmsKey, name: string) {
    this.#client = client;
    this.#arn = arn;
    this.verifierKey = newEd25519VerifierKey(name, publicKey);
    this.#verifier = newVerifier(this.verifierKey);
    this.name = this.#verifier.name;
    this.keyHash = this.#verifier.keyHash;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (message.length > messageLimit) throw new ServedError("internal", "what is to be signed is too long for KMS");
    const sign = new SignCommand({
      KeyId: this.#arn,
      Message: message,
      MessageType: "RAW",
      SigningAlgorithm: "ED25519_SHA_512",
    });
    const { Signature } = await orStoreFailed("signing the head of the log", () =>
      this.#client.send(sign, untilImpatient()),
    );
    if (Signature === undefined || !this.#verifier.verify(message, Signature))
      throw new ServedError("internal", "KMS answered with a signature that is not of the log's key");
    return Uint8Array.from(Signature);
  }
}

function untilImpatient(): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(patience) };
}
