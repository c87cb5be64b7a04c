import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./storage-failure.ts";

/**
 * Opens a database whose other readers never wait for its writer. `FULL` waits for the disk with each transaction; after
 * `NORMAL` a power failure may take the last ones.
 */
export function connect(path: string, synchronous: "FULL" | "NORMAL"): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    useWriteAheadLog(database);
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** One database, two connections: what must outlive a power failure is written through `durable`, which waits for the disk. */
export interface Connections {
  readonly quick: DatabaseSync;
  readonly durable: DatabaseSync;
  /** Closes both; again it does nothing, as whoever stops a server may do so twice. */
  close(): void;
}

/** Opens both; the second one after `prepare` has made the tables through the first. Throws what either throws, with none left open. */
export function connectTwice<T>(
  path: string,
  prepare: (durable: DatabaseSync) => T,
): Connections & { readonly prepared: T } {
  const durable = connect(path, "FULL");
  try {
    const prepared = prepare(durable);
    const quick = connect(path, "NORMAL");
    const open = [durable, quick];
    const close = () => {
      for (const connection of open.splice(0)) connection.close();
    };
    return { quick, durable, prepared, close };
  } catch (error) {
    durable.close();
    throw error;
  }
}

/** Two processes that make a new database at the same moment meet a lock for which SQLite does not wait by itself. */
function useWriteAheadLog(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || attempt === 200) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}
