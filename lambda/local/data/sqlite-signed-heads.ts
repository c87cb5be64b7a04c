import type { StatementSync } from "node:sqlite";
import type { SignedHead, SignedHeads } from "../../proxy/store/log-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the log's signed heads. */
export const signedHeadStatements = {
  read: "SELECT size, note FROM log_signed WHERE name = ?",
  grow: `
    INSERT INTO log_signed (name, size, note) VALUES (:name, :size, :note)
    ON CONFLICT DO UPDATE SET size = excluded.size, note = excluded.note WHERE excluded.size > size`,
} as const;

/** The log's signed heads in SQLite beside its rows, on the connection that waits for the disk. */
export class SqliteSignedHeads implements SignedHeads {
  readonly #read: StatementSync;
  readonly #grow: StatementSync;
  readonly #failpoint: Failpoint;
  readonly #checkPlace: IndexDatabase["checkPlace"];

  constructor({ durable, checkPlace }: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#checkPlace = checkPlace;
    this.#failpoint = failpoint;
    this.#read = durable.prepare(signedHeadStatements.read);
    this.#grow = durable.prepare(signedHeadStatements.grow);
  }

  async read(name: string): Promise<SignedHead | undefined> {
    return attempt(() => this.#kept(name));
  }

  async grow(name: string, next: SignedHead): Promise<SignedHead> {
    this.#failpoint("signed.grow.before");
    this.#checkPlace();
    const { changes } = attempt(() => this.#grow.run({ name, size: next.size, note: next.note }));
    this.#failpoint("signed.grow.after");
    return (changes === 0 ? attempt(() => this.#kept(name)) : undefined) ?? next;
  }

  #kept(name: string): SignedHead | undefined {
    const [row] = this.#read.all(name) as unknown as { readonly size: number; readonly note: Uint8Array }[];
    return row && { size: BigInt(row.size), note: row.note };
  }
}
