import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type AuditTable, changesTable, partitions, requestsTable } from "../../lambda/access/audit/audit-tables.ts";
import type { AuditQueries, QueriedRows } from "../../lambda/access/audit/queried-audit.ts";

// The tables of the audit log by DuckDB over files on disk, in place of Athena over S3. It reads the same lines from the same
// folders with the same SQL; what it cannot show is Athena's own: projection of partitions, the class that reads JSON, limits.

/** Rows of one page. */
const page = 3;

export class DuckQueries implements AuditQueries {
  /** What was asked. */
  readonly asked: string[] = [];
  readonly connection: DuckDBConnection;
  readonly #results = new Map<string, readonly (readonly string[])[]>();

  private constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  /** Opens the files below `folder`: `requests/` is the bucket of access logs, `changes/` that of events. */
  static async open(folder: string): Promise<DuckQueries> {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    for (const [table, glob] of [
      [requestsTable, "AWSLogs/aws-account-id=123456789012/CloudFront/*/*/*/*.gz"],
      [changesTable, "-/audit/*/*/*/*.json"],
    ] as const) {
      await connection.run(view(table, join(folder, table.name, glob)));
    }
    return new DuckQueries(connection);
  }

  async run(sql: string): Promise<string> {
    this.asked.push(sql);
    const { getRows } = await this.connection
      .runAndReadAll(sql)
      .then((result) => ({ getRows: () => result.getRows() }));
    const id = `query-${this.asked.length}`;
    this.#results.set(
      id,
      getRows().map((row) => row.map((value) => String(value ?? ""))),
    );
    return id;
  }

  async rows(id: string, after = "0"): Promise<QueriedRows> {
    const [all = [], at] = [this.#results.get(id), Number(after)];
    const rows = all.slice(at, at + page);
    return at + page < all.length ? { rows, next: String(at + page) } : { rows };
  }

  close(): void {
    this.connection.closeSync();
  }
}

function view({ name, columns }: AuditTable, glob: string): string {
  const typed = columns.map((column) => `'${column}': '${column === "count" ? "INTEGER" : "VARCHAR"}'`);
  const folders = partitions.map((each) => `'${each}': VARCHAR`);
  return `CREATE VIEW ${name} AS SELECT * FROM read_json('${glob}', format = 'newline_delimited',
    columns = {${typed.join(", ")}}, hive_partitioning = true, hive_types = {${folders.join(", ")}})`;
}
