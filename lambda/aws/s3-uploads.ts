import { DeleteObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { hmac } from "../access/hmac.ts";
import { isSigned } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import { policies, uploadKey } from "../proxy/store/layout.ts";
import type { PlacedFile, PlaceHeaders, UploadLimits, UploadPlaces, Uploads } from "../publishing/uploads.ts";
import { orStoreFailed } from "./aws-failure.ts";
import type { IdentityKeys } from "./identity-keys.ts";

export interface S3UploadsParts {
  /** With `requestChecksumCalculation: "WHEN_REQUIRED"`: else the signed address is for the checksum of no bytes at all. */
  readonly client: S3Client;
  readonly bucket: string;
  /** Those of the edge, which vouch for places too. */
  readonly keys: IdentityKeys;
  /** Makes ids that nobody guesses. */
  readonly name: () => string;
}

/** Seconds for which a place is open. */
const openFor = 900;

/** Keeps these seals apart from the signatures of identities. */
const purpose = "publish ";

/** Uploads as objects under `-/upload/`, where the fill plane finds them: one call each. */
export class S3Uploads implements Uploads, UploadPlaces {
  readonly #parts: S3UploadsParts;

  constructor(parts: S3UploadsParts) {
    this.#parts = parts;
  }

  /** The API has read the body already, of at most 6 MB. */
  async receive(chunks: AsyncIterable<Uint8Array>, { limit }: UploadLimits): Promise<string> {
    const received: Uint8Array[] = [];
    for await (const chunk of chunks) received.push(chunk);
    const bytes = Buffer.concat(received);
    if (bytes.length > limit) throw new CodedError("upload-too-large", `the zip has more than ${limit} bytes`);
    const { client, bucket, name } = this.#parts;
    const id = name();
    const { contentType: ContentType, cacheControl: CacheControl } = policies.internal;
    const object = { Bucket: bucket, Key: uploadKey(id), ContentType, CacheControl };
    const put = new PutObjectCommand({ ...object, Body: bytes, IfNoneMatch: "*" });
    await orStoreFailed("storing an upload", () => client.send(put));
    return id;
  }

  async remove(id: string): Promise<void> {
    const { client, bucket } = this.#parts;
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: uploadKey(id) })).catch(() => {});
  }

  async open({ size, sha256 }: PlacedFile): Promise<{ id: string; url: string; headers: PlaceHeaders }> {
    const { client, bucket, name } = this.#parts;
    const id = name();
    const checksum = sha256 && Buffer.from(sha256, "hex").toString("base64");
    const put = new PutObjectCommand({
      Bucket: bucket,
      Key: uploadKey(id),
      ContentLength: size,
      IfNoneMatch: "*",
      ...(checksum && { ChecksumSHA256: checksum }),
    });
    const headers = {
      "content-length": String(size),
      "if-none-match": "*",
      ...(checksum && { "x-amz-checksum-sha256": checksum }),
    };
    const signed = new Set(Object.keys(headers));
    const url = await getSignedUrl(client, put, {
      expiresIn: openFor,
      signableHeaders: signed,
      unhoistableHeaders: signed,
    });
    return { id, url, headers };
  }

  seal(text: string): Promise<string> {
    return this.#parts.keys.use(([key = ""]) => hmac(key, purpose + text));
  }

  async isSealed(text: string, seal: string): Promise<boolean> {
    const check = (keys: readonly string[]) => {
      if (!isSigned(purpose + text, seal, keys, hmac)) throw new CodedError("unsealed", "of no key that is known");
    };
    return await this.#parts.keys.use(check).then(
      () => true,
      (error: unknown) => {
        if (error instanceof CodedError && error.code === "unsealed") return false;
        throw error;
      },
    );
  }
}
