import { createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { ObjectPolicy } from "../proxy/store/layout.ts";
import type { FileSource, ModuleStore } from "../proxy/store/module-store.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { awsErrorName, awsErrorStatus, orStoreFailed } from "./aws-failure.ts";

export interface S3ModuleStoreOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Files larger than this are sent in parts of this size (S3 allows none under 5 MiB but the last); default 8 MiB. */
  readonly partSize?: number;
}

/** What an object is written under: its key, and the headers with which S3 itself hands it to CloudFront. */
interface NewObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly CacheControl: string;
}

const readLimit = 16 * 1024 * 1024;
/** Parts under way at once; with 8 MiB each the memory of an upload is 32 MiB whatever the file's size. */
const partsAtOnce = 4;
const conflictAttempts = 5;

/**
 * Files as objects under the same keys. Create-only is S3's own condition `If-None-Match: *`, on the PUT of a small file
 * and on the completion of an upload in parts: an object appears whole or not at all, and the first one stays.
 *
 * Calls: `read`, `size`, `copy` and `remove` 1, `create` 1 for a small file, parts + 3 for a large one.
 */
export class S3ModuleStore implements ModuleStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #partSize: number;

  constructor(options: S3ModuleStoreOptions) {
    this.#client = options.client;
    this.#bucket = options.bucket;
    this.#partSize = options.partSize ?? 8 * 1024 * 1024;
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    return await orStoreFailed("reading a stored file", async () => {
      const object = await orAbsent(() => this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
      if (object?.Body === undefined) return undefined;
      if ((object.ContentLength ?? 0) > readLimit) throw new ServedError("store-failed", "a stored file is too large");
      return await object.Body.transformToByteArray();
    });
  }

  async size(key: string): Promise<number | undefined> {
    return await orStoreFailed("looking up a stored file", async () => {
      const head = await orAbsent(() => this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })));
      return head && (head.ContentLength ?? 0);
    });
  }

  async copy(key: string, path: string): Promise<number | undefined> {
    return await orStoreFailed("reading a stored file", async () => {
      const object = await orAbsent(() => this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
      if (object?.Body === undefined) return undefined;
      await pipeline(object.Body as Readable, createWriteStream(path));
      return object.ContentLength;
    });
  }

  async create(key: string, source: FileSource, policy: ObjectPolicy): Promise<boolean> {
    const object = {
      Bucket: this.#bucket,
      Key: key,
      ContentType: policy.contentType,
      CacheControl: policy.cacheControl,
    };
    return await orStoreFailed("storing a file", async () => {
      if (source instanceof Uint8Array) return await retryConflict(() => this.#put(object, source));
      const file = await open(source.path);
      try {
        const { size } = await file.stat();
        if (size <= this.#partSize) return await this.#createSmall(object, file, size);
        if ((await this.size(key)) !== undefined) return false;
        return await retryConflict(() => this.#upload(object, file, size));
      } finally {
        await file.close();
      }
    });
  }

  /**
   * One call. In a bucket with versions it leaves a marker, which makes the key free again, and behind it the bytes, which
   * are paid for until the bucket's lifecycle ends them.
   */
  async remove(key: string): Promise<void> {
    const removal = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    await orStoreFailed("removing a stored file", () => this.#client.send(removal));
  }

  async *keys(prefix: string): AsyncIterable<string> {
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: prefix });
    try {
      for await (const page of pages) for (const object of page.Contents ?? []) if (object.Key) yield object.Key;
    } catch (error) {
      throw new ServedError("store-failed", "listing the stored files failed", { cause: error });
    }
  }

  async #createSmall(object: NewObject, file: FileHandle, size: number): Promise<boolean> {
    const bytes = await readRange(file, 0, size);
    return await retryConflict(() => this.#put(object, bytes));
  }

  async #put(object: NewObject, bytes: Uint8Array): Promise<boolean> {
    await this.#client.send(new PutObjectCommand({ ...object, Body: bytes, IfNoneMatch: "*" }));
    return true;
  }

  async #upload(object: NewObject, file: FileHandle, size: number): Promise<boolean> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(object));
    const upload = { Bucket: object.Bucket, Key: object.Key, UploadId };
    try {
      const Parts = await this.#uploadParts(upload, file, size);
      const completion = { ...upload, MultipartUpload: { Parts }, IfNoneMatch: "*" };
      await this.#client.send(new CompleteMultipartUploadCommand(completion));
      return true;
    } catch (error) {
      // A completion whose answer was lost is sent again by the client and finds its upload gone.
      if (awsErrorStatus(error) === 404 && (await this.size(object.Key)) !== undefined) return false;
      // Left-over parts cost money until the lifecycle rule finds them; failing to abort must not hide why.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
      throw error;
    }
  }

  async #uploadParts(
    upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined },
    file: FileHandle,
    size: number,
  ): Promise<CompletedPart[]> {
    const parts: CompletedPart[] = [];
    const count = Math.ceil(size / this.#partSize);
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const index = next++;
        const start = index * this.#partSize;
        const body = await readRange(file, start, Math.min(this.#partSize, size - start));
        const part = new UploadPartCommand({ ...upload, PartNumber: index + 1, Body: body });
        const { ETag, ChecksumCRC32 } = await this.#client.send(part);
        parts[index] = { PartNumber: index + 1, ETag, ChecksumCRC32 };
      }
    };
    const stopAtFailure = () =>
      worker().catch((error: unknown) => {
        next = count;
        throw error;
      });
    const ends = await Promise.allSettled(Array.from({ length: Math.min(partsAtOnce, count) }, stopAtFailure));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return parts;
  }
}

/** `undefined` for an object that is not there. */
async function orAbsent<Result>(call: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await call();
  } catch (error) {
    if (awsErrorStatus(error) === 404) return undefined;
    throw error;
  }
}

/**
 * False when the object exists (412). A 409 says that another conditional write of the key was under way and nothing is
 * known yet; S3 asks for the whole write again.
 */
async function retryConflict(write: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (awsErrorName(error) === "PreconditionFailed" || awsErrorStatus(error) === 412) return false;
      if (awsErrorStatus(error) !== 409 || attempt === conflictAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt * (0.5 + Math.random() / 2)));
    }
  }
}

async function readRange(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, start + read);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    read += bytesRead;
  }
  return bytes;
}
