import { unescapeLetters } from "../../edge/routed-path.ts";
import { CodedError, isCodedError } from "../../golang/coded-error.ts";
import { escapePath, escapeVersion } from "../../golang/module.ts";
import { type AuditEvent, parseAuditEvent } from "./audit-event.ts";
import type { AuditPage, AuditQuestion } from "./audit-log.ts";
import { auditSql, rowColumns } from "./audit-sql.ts";

/** Runs SQL over the tables of audit-tables.ts. */
export interface AuditQueries {
  /** Runs a query to its end and returns the id by which its rows are read. Throws `CodedError` "audit-unanswered". */
  run(sql: string): Promise<string>;

  /** Returns some rows of a query, each with the texts of its columns in their order, and where the next ones begin. */
  rows(id: string, after: string | undefined): Promise<QueriedRows>;
}

export interface QueriedRows {
  readonly rows: readonly (readonly string[])[];
  readonly next?: string;
}

/**
 * The audit log of a deployment by SQL: its changes, and its fetches as far as they are written down.
 *
 * A question is one query, whatever number of pages it has: those after the first only read its rows.
 */
export class QueriedAudit {
  readonly #queries: AuditQueries;

  constructor(queries: AuditQueries) {
    this.#queries = queries;
  }

  /** As `AuditLog.query`; `limit` is the engine's. */
  async query(question: AuditQuestion): Promise<AuditPage> {
    const [, id = "", after = ""] = /^([\w-]{1,100}) ?(.*)$/s.exec(question.after ?? "") ?? [];
    const query = question.after === undefined ? await this.#run(question) : id;
    const { rows, next } = await this.#queries.rows(query, after || undefined);
    const events = rows.flatMap((row) => eventOf(row) ?? []);
    return { events, ...(next !== undefined && { next: `${query} ${next}` }) };
  }

  #run(question: AuditQuestion): Promise<string> {
    const { module, version } = question;
    return this.#queries.run(
      auditSql(question, {
        ...escapedOf(module, escapePath, "module"),
        ...escapedOf(version, escapeVersion, "version"),
      }),
    );
  }
}

/** A module or version as a request spells it; nobody can ask for what has no such spelling. */
function escapedOf<Name extends string>(
  text: string | undefined,
  spell: (text: string) => string,
  name: Name,
): { readonly [Key in Name]?: string } {
  if (text === undefined) return {};
  try {
    return { [name]: spell(text) } as { readonly [Key in Name]?: string };
  } catch (error) {
    if (!isCodedError<string>(error)) throw error;
    throw new CodedError("bad-page", `${name}: ${error.message}`);
  }
}

function eventOf(row: readonly string[]): AuditEvent | undefined {
  const fields = Object.fromEntries(rowColumns.map((name, i) => [name, row[i] ?? ""]));
  const event = parseAuditEvent(JSON.stringify(fields));
  if (event === undefined || !event.action.startsWith("fetch.")) return event;
  const { module, version } = event;
  return { ...event, module: unescapeLetters(module) ?? module, version: unescapeLetters(version) ?? version };
}
