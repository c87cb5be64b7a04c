/**
 * The newest verified signed tree head (in other logs a checkpoint) of each checksum database, by the database's name.
 *
 * Calls with the same name are serialisable and have read-after-write consistency, across processes and restarts; a
 * write is durable once it returned.
 */
export interface TreeHeadStore {
  /** The signed note, or `undefined` when no head was verified yet. */
  read(name: string): Promise<Uint8Array | undefined>;

  /** Compare and swap: replaces `old` (`undefined`: none yet) by `next`; false when the head is not `old` any more. */
  replace(name: string, old: Uint8Array | undefined, next: Uint8Array): Promise<boolean>;
}
