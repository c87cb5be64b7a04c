export interface UploadLimits {
  /** Bytes. */
  readonly limit: number;
  /** The id of the token that sends it: of one only so many are taken in at once. */
  readonly by: string;
}

/** Zips on their way to being published, each for one publication. */
export interface Uploads {
  /**
   * Stores a body as it comes and returns the id of it. Throws `CodedError` "upload-too-large" for more than `limit` bytes,
   * "too-many-uploads" where as many are under way as may, and `ServedError` "store-failed"; then nothing of it is kept.
   */
  receive(chunks: AsyncIterable<Uint8Array>, limits: UploadLimits): Promise<string>;

  /** Removes one; what stays because it cannot be is swept after a day. */
  remove(id: string): Promise<void>;
}

/** Where a client itself puts a zip that is too large to pass through here. */
export interface UploadPlaces {
  /** Makes a place for just these bytes, and what must be sent with them. It is open for a quarter of an hour, for one file. */
  open(file: PlacedFile): Promise<{ readonly id: string; readonly url: string; readonly headers: PlaceHeaders }>;

  /** Vouches for a text, and says whether it was vouched for: who was given a place shows so that it is theirs. */
  seal(text: string): Promise<string>;
  isSealed(text: string, seal: string): Promise<boolean>;
}

export interface PlacedFile {
  /** Bytes. */
  readonly size: number;
  /** In hex, where it is known. */
  readonly sha256?: string | undefined;
}

export type PlaceHeaders = Readonly<Record<string, string>>;

/** Bytes of a zip: `go` refuses more (x/mod/zip MaxZipFile). */
export const largestZip = 500 << 20;
