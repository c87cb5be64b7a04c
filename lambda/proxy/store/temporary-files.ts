/**
 * Files of this process that nobody else reads; whoever asks for one removes it.
 *
 * Failures of the medium are `ServedError` "store-failed".
 */
export interface TemporaryFiles {
  /** A path that no other file has. */
  next(): string;

  /** Writes `chunks` to the file as they come, replacing what an earlier try left; the number of bytes. */
  write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;

  /** Removes the file; one that was never written is no failure. */
  remove(path: string): Promise<void>;
}
