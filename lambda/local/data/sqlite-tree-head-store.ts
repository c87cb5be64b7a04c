import type { StatementSync } from "node:sqlite";
import type { TreeHeadStore } from "../../proxy/store/tree-head-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the heads. A comparison and its swap are one statement, so nothing comes between them. */
export const headStatements = {
  read: "SELECT note FROM head WHERE name = ?",
  insert: "INSERT INTO head (name, note) VALUES (:name, :next) ON CONFLICT DO NOTHING",
  replace: "UPDATE head SET note = :next WHERE name = :name AND note = :old",
} as const;

/** Signed heads in SQLite. */
export class SqliteTreeHeadStore implements TreeHeadStore {
  readonly #statements: Readonly<Record<keyof typeof headStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  constructor(database: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    this.#statements = {
      read: database.durable.prepare(headStatements.read),
      insert: database.durable.prepare(headStatements.insert),
      replace: database.durable.prepare(headStatements.replace),
    };
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const [row] = attempt(() => this.#statements.read.all(name) as unknown as { readonly note: Uint8Array }[]);
    return row?.note;
  }

  async replace(name: string, old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    this.#failpoint("head.replace.before");
    const { changes } = attempt(() =>
      old === undefined
        ? this.#statements.insert.run({ name, next })
        : this.#statements.replace.run({ name, next, old }),
    );
    this.#failpoint("head.replace.after");
    return changes === 1;
  }
}
