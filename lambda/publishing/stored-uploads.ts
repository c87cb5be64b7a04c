import { CodedError, isCodedError } from "../golang/coded-error.ts";
import { policies, uploadKey } from "../proxy/store/layout.ts";
import type { ModuleStore } from "../proxy/store/module-store.ts";
import type { TemporaryFiles } from "../proxy/store/temporary-files.ts";
import type { UploadLimits, Uploads } from "./uploads.ts";

export interface StoredUploadsParts {
  readonly store: Pick<ModuleStore, "create" | "remove">;
  readonly temporaryFiles: TemporaryFiles;
  /** Makes ids that nobody guesses. */
  readonly name: () => string;
  /** Throws `ServedError` "store-failed" where there is no room. */
  readonly checkRoom: () => void;
}

/** Each may be as large as a zip, and lies on the disk twice for a moment. */
const mostAtOnce = 8;

/** Of one token, so that nobody keeps all others out. */
const mostOfOne = 6;

/** Uploads that come in through this process and go where the fill plane finds them. */
export class StoredUploads implements Uploads {
  readonly #parts: StoredUploadsParts;
  readonly #open: string[] = [];

  constructor(parts: StoredUploadsParts) {
    this.#parts = parts;
  }

  async receive(chunks: AsyncIterable<Uint8Array>, { limit, by }: UploadLimits): Promise<string> {
    const { checkRoom, temporaryFiles } = this.#parts;
    if (this.#open.length >= mostAtOnce || this.#open.filter((each) => each === by).length >= mostOfOne)
      throw new CodedError("too-many-uploads", "too many uploads at once: try again");
    checkRoom();
    const file = temporaryFiles.next();
    this.#open.push(by);
    try {
      await temporaryFiles.write(file, bounded(chunks, limit, checkRoom));
      return await this.#store(file);
    } finally {
      this.#open.splice(this.#open.indexOf(by), 1);
      await temporaryFiles.remove(file);
    }
  }

  async remove(id: string): Promise<void> {
    await this.#parts.store.remove(uploadKey(id)).catch(() => {});
  }

  async #store(path: string): Promise<string> {
    const id = this.#parts.name();
    await this.#parts.store.create(uploadKey(id), { path }, policies.internal);
    return id;
  }
}

/** Bytes after which the room is looked at again. */
const roomInterval = 16 << 20;

async function* bounded(chunks: AsyncIterable<Uint8Array>, limit: number, checkRoom: () => void) {
  let size = 0;
  let looked = 0;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > limit) throw new CodedError("upload-too-large", `the zip has more than ${limit} bytes`);
      if (size - looked >= roomInterval) {
        checkRoom();
        looked = size;
      }
      yield chunk;
    }
  } catch (cause) {
    if (isCodedError(cause)) throw cause;
    throw new CodedError("bad-publication", "the body broke off", { cause });
  }
}
