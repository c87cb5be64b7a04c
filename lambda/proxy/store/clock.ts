/**
 * Time, handed in by the composition root, in milliseconds.
 *
 * What rings does so after at least so long, once its turn comes, and never again after the function that was returned for it
 * was called.
 */
export interface Clock {
  /** Since the epoch. */
  now(): number;

  /** Resolves after so long; rejects with the signal's reason when that is aborted before. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;

  /** Calls `ring` once, after so long; returns what stops it. */
  after(milliseconds: number, ring: () => void): () => void;

  /** Calls `ring` again and again, each time after so long; returns what stops it. */
  every(milliseconds: number, ring: () => void): () => void;
}
