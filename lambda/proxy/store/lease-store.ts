import { isServedErrorCode, type ServedErrorCode } from "./served-error.ts";

/** Why the holder of a lease gave up: shared with those who waited for it, and with nobody after them. */
export interface SharedFailure {
  readonly code: ServedErrorCode;
  readonly message: string;
}

/** A failure as it was stored. A code that is none of ours was written by a later version, and means nothing here. */
export function parseFailure(code: string, message: string): SharedFailure {
  return { code: isServedErrorCode(code) ? code : "internal", message };
}

/** The state of one lease. `fence` tells each taking of it from all others, of any name; 0 means that nobody has it. */
export interface LeaseState {
  readonly fence: number;
  /** Milliseconds since the epoch until which it is held; 0 when it was released. */
  readonly heldUntil: number;
  /** How the holder with this `fence` ended, when it ended in failure. */
  readonly failure: SharedFailure | undefined;
}

/**
 * Leases over all processes and machines that fill, so that one of them fetches and the others wait.
 *
 * Taking a lease is serialisable: among any number of callers at most one gets each `fence`. The fences of a name only grow
 * and never repeat, though a lease that is finished may be forgotten: one that ended well at once, a failure when those who
 * waited have had the time to read it. Holding a lease is a courtesy that saves work, not a lock that guards bytes: files
 * are create-only, so that a holder that lost its lease without noticing does no harm. Times are the caller's clock.
 */
export interface LeaseStore {
  /** Takes the lease when it is released or its time is over at `now`; the new state, or `undefined` when it is held. */
  acquire(name: string, now: number, heldUntil: number): Promise<LeaseState | undefined>;

  /** Prolongs a lease still held under `fence`; false when somebody else has taken it since. */
  renew(name: string, fence: number, heldUntil: number): Promise<boolean>;

  /** Ends a lease held under `fence`, with the failure to share if there was one. Does nothing when it was lost. */
  release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void>;

  /** The present state. */
  read(name: string): Promise<LeaseState>;
}
