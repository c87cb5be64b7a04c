import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import type { AuditQueries, QueriedRows } from "../access/audit/queried-audit.ts";
import { CodedError, isCodedError } from "../golang/coded-error.ts";
import type { Clock } from "../proxy/store/clock.ts";

export interface AthenaQueriesOptions {
  readonly client: Pick<AthenaClient, "send">;
  /** Which has where results are kept, and how much one query may read. */
  readonly workgroup: string;
  readonly database: string;
  readonly clock: Pick<Clock, "now" | "sleep">;
}

/** Milliseconds: between two looks, and the longest that a query is waited for. */
const interval = 400;
const patience = 300_000;

/** Athena as what runs SQL. Calls: `run` 1, and 1 for each look whether it is done; `rows` 1. */
export class AthenaQueries implements AuditQueries {
  readonly #options: AthenaQueriesOptions;

  constructor(options: AthenaQueriesOptions) {
    this.#options = options;
  }

  async run(sql: string): Promise<string> {
    const { client, workgroup, database } = this.#options;
    return await orUnanswered(async () => {
      const begun = await client.send(
        new StartQueryExecutionCommand({
          QueryString: sql,
          WorkGroup: workgroup,
          QueryExecutionContext: { Database: database },
        }),
      );
      const id = begun.QueryExecutionId ?? "";
      await this.#done(id);
      return id;
    });
  }

  async rows(id: string, after: string | undefined): Promise<QueriedRows> {
    return await orUnanswered(async () => {
      const page = new GetQueryResultsCommand({ QueryExecutionId: id, NextToken: after, MaxResults: 1000 });
      const { ResultSet, NextToken } = await this.#options.client.send(page);
      const rows = (ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue = "" }) => VarCharValue));
      // The first row of the first page has the names of the columns.
      return { rows: after === undefined ? rows.slice(1) : rows, ...(NextToken && { next: NextToken }) };
    });
  }

  async #done(id: string): Promise<void> {
    const { client, clock } = this.#options;
    const end = clock.now() + patience;
    for (;;) {
      const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
      const { State, StateChangeReason = "" } = QueryExecution?.Status ?? {};
      if (State === "SUCCEEDED") return;
      if (State === "FAILED" || State === "CANCELLED") throw unanswered(reasonOf(StateChangeReason));
      if (clock.now() >= end) {
        await client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
        throw unanswered(`it took longer than ${patience / 60_000} minutes`);
      }
      await clock.sleep(interval);
    }
  }
}

/** What Athena says of a query that reads too much is for whoever asked; the rest of its words is not. */
function reasonOf(text: string): string {
  return /bytes scanned limit/i.test(text)
    ? "it would read more than the workgroup allows: ask for less time with --since"
    : "Athena could not run it: its console has the reason";
}

function unanswered(why: string, cause?: unknown): CodedError {
  return new CodedError("audit-unanswered", `the audit log cannot be asked: ${why}`, { cause });
}

async function orUnanswered<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (isCodedError<string>(error)) throw error;
    throw unanswered("do the AWS credentials at hand have the policy that docs/audit.md names?", error);
  }
}
