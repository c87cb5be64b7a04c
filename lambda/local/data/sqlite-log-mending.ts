import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LogCommit, LogHead, LogMending } from "../../proxy/store/log-store.ts";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

const statements = {
  head: "SELECT epoch, size AS number FROM log_head WHERE id = 1",
  addNumber: `
    INSERT INTO log_number (module, version, number) VALUES (:path, :version, :number)
    ON CONFLICT DO NOTHING`,
  count: "UPDATE log_numbers SET count = (SELECT count(*) FROM log_number)",
  counted: "SELECT count AS number FROM log_numbers WHERE id = 1",
  trimNumbers: "DELETE FROM log_number WHERE number >= ?",
  trimRows: "DELETE FROM log_row WHERE level = ? AND number >= ?",
} as const;

/** As many as a log of 2^63 records has. */
const levels = 8;

/** The log's rows in SQLite, for who mends them. `trim` reads all numbers, some 0.1 s of a million. */
export class SqliteLogMending implements LogMending {
  readonly #statements: Readonly<Record<keyof typeof statements, StatementSync>>;
  readonly #database: DatabaseSync;

  constructor({ durable }: Pick<IndexDatabase, "durable">) {
    this.#database = durable;
    const prepare = (name: keyof typeof statements) => durable.prepare(statements[name]);
    this.#statements = {
      head: prepare("head"),
      addNumber: prepare("addNumber"),
      count: prepare("count"),
      counted: prepare("counted"),
      trimNumbers: prepare("trimNumbers"),
      trimRows: prepare("trimRows"),
    };
  }

  async addNumbers(numbers: LogCommit["numbers"]): Promise<void> {
    this.#transact(() => {
      for (const { module, number } of numbers)
        this.#statements.addNumber.run({ path: module.path, version: module.version, number });
    });
  }

  async trim(head: LogHead | undefined): Promise<bigint | "outgrown"> {
    const { trimRows, trimNumbers, count, counted } = this.#statements;
    return this.#transact(() => {
      const [present] = this.#statements.head.all() as unknown as (NumberRow & { readonly epoch: number })[];
      const size = BigInt(present?.number ?? 0);
      if (size !== (head?.size ?? 0n) || (head && Number(head.epoch) !== present?.epoch)) return "outgrown";
      for (let level = 0; level < levels; level++) trimRows.run(level, size >> BigInt(8 * level));
      trimNumbers.run(size);
      count.run();
      const [numbers] = counted.all() as unknown as NumberRow[];
      return BigInt(numbers?.number ?? -1);
    });
  }

  #transact<T>(work: () => T): T {
    return attempt(() => transact(this.#database, work));
  }
}

interface NumberRow {
  readonly number: number;
}
