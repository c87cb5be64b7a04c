import { CodedError } from "../../golang/coded-error.ts";
import { textFields } from "./audit-event.ts";
import type { AuditQuestion } from "./audit-log.ts";
import { changesTable, requestsTable } from "./audit-tables.ts";

// A question as SQL that Athena (Trino) and DuckDB read alike. What is in it of the question is text that was quoted here,
// or digits.

/** A text as a literal. Throws `CodedError` "bad-page" for what is not printable ASCII, which no event has. */
export function literal(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new CodedError("bad-page", "only printable ASCII can be asked for");
  return `'${text.replaceAll("'", "''")}'`;
}

/** The columns of each row, in this order: those of an event; paths and versions of fetches are escaped, as requests have them. */
export const rowColumns = ["time", ...textFields, "count"] as const;

/** Returns the SQL of a question, its rows in the order of time; `limit` and `after` are for whoever reads them. */
export function auditSql(
  question: AuditQuestion,
  escaped: { readonly module?: string; readonly version?: string },
): string {
  const { action } = question;
  const isFetch = action === "fetch" || action?.startsWith("fetch.") === true;
  // What cannot have an answer is not asked: requests are what it costs to read.
  const parts = [
    ...(isFetch ? [] : [changes(question)]),
    ...(isFetch || action === undefined ? [fetches(question, escaped)] : []),
  ];
  return `${parts.join("\nUNION ALL\n")}\nORDER BY "time"`;
}

function changes(question: AuditQuestion): string {
  const { module, version } = question;
  return `SELECT ${rowColumns.map((name) => (name === "count" ? `CAST("count" AS varchar) AS "count"` : `"${name}"`)).join(", ")}
FROM ${changesTable.name}
WHERE ${[...within(question), ...fitting(question, { module, version })].join("\n  AND ")}`;
}

/**
 * The fetches out of the lines of CloudFront: those that the edge has said something of.
 *
 * A path is as a client sent it: one that cannot be decoded is none of a module, and ends no query.
 */
function fetches(question: AuditQuestion, escaped: { readonly module?: string; readonly version?: string }): string {
  return `SELECT ${rowColumns.map((name) => `"${name}"`).join(", ")}
FROM (
  SELECT "time", request, address,
    ${field(5, true)} AS subject, ${field(3)} AS token, ${field(4)} AS tenant,
    CASE WHEN path LIKE '/sumdb/%' THEN 'fetch.sumdb' WHEN path LIKE '%/@v/list' THEN 'fetch.list'
      WHEN path LIKE '%/@latest' THEN 'fetch.latest' ELSE concat('fetch.', ${matched("[.]([a-z]+)$")}) END AS action,
    CASE WHEN path LIKE '/sumdb/%' THEN ${matched("/lookup/(.+)@[^/@]+$")} ELSE ${matched("^/(.+)/@(?:v/[^/]+|latest)$")} END AS module,
    CASE WHEN path LIKE '/sumdb/%' THEN ${matched("/lookup/.+@([^/@]+)$")} ELSE ${matched("/@v/([^/]+)[.](?:info|mod|zip)$")} END AS version,
    '' AS target, '1' AS "count",
    CASE WHEN status = '403' THEN 'refused' ELSE ${field(1)} END AS decision,
    CASE WHEN status = '403' AND ${field(1)} = 'allowed' THEN 'content' ELSE ${field(2)} END AS rule
  FROM (
    SELECT concat("date", 'T', "time", '.000Z') AS "time", "x-edge-request-id" AS request, "c-ip" AS address, "sc-status" AS status,
      ${decoded(`replace("cs-uri-stem", '+', '%2B')`)} AS path, ${decoded(`"viewer-request-log-data"`)} AS note
    FROM ${requestsTable.name}
    WHERE ${inFolders(question)}
      AND "viewer-request-log-data" <> '-'
  ) AS lines
) AS told
WHERE ${[...between(question), ...fitting(question, escaped), `decision IN ('allowed', 'refused')`, `action <> 'fetch.'`].join("\n  AND ")}`;
}

/** A field of what the edge said. */
function field(number: number, isEncoded = false): string {
  const text = `split_part(note, ',', ${number})`;
  return isEncoded ? decoded(text) : `coalesce(${text}, '')`;
}

function decoded(text: string): string {
  return `coalesce(try(url_decode(${text})), '')`;
}

/** What the group of a pattern matches; the empty text where nothing does, which the two engines say differently. */
function matched(pattern: string): string {
  return `coalesce(regexp_extract(path, '${pattern}', 1), '')`;
}

function within(question: AuditQuestion): readonly string[] {
  return [inFolders(question), ...between(question)];
}

/** Times of requests are whole seconds. */
function between({ since, until }: AuditQuestion): readonly string[] {
  const second = Math.floor(since / 1000) * 1000;
  return [`"time" >= ${literal(isoTime(second))}`, `"time" < ${literal(isoTime(until))}`];
}

function fitting(
  { who, action }: AuditQuestion,
  { module, version }: { readonly module?: string | undefined; readonly version?: string | undefined },
): readonly string[] {
  const kind = action === undefined ? "" : `${action}.`;
  return [
    ...(module === undefined ? [] : [`module = ${literal(module)}`]),
    ...(version === undefined ? [] : [`version = ${literal(version)}`]),
    ...(who === undefined
      ? []
      : [`(subject = ${literal(who)} OR token = ${literal(who)} OR tenant = ${literal(who)})`]),
    ...(action === undefined
      ? []
      : [`(action = ${literal(action)} OR substr(action, 1, ${kind.length}) = ${literal(kind)})`]),
  ];
}

/** The folders of a time, month by month: all that is read is in them. */
function inFolders({ since, until }: AuditQuestion): string {
  const [first, last] = [new Date(clamped(since)), new Date(clamped(until))];
  const months: string[] = [];
  for (let year = first.getUTCFullYear(), month = first.getUTCMonth(); ; month++) {
    const at = new Date(Date.UTC(year, month, 1));
    if (at > last) break;
    const end = new Date(Date.UTC(year, month + 1, 0));
    const from = at < first ? first.getUTCDate() : 1;
    const to = end > last ? last.getUTCDate() : end.getUTCDate();
    const days = from === 1 && to === end.getUTCDate() ? "" : ` AND "day" BETWEEN '${two(from)}' AND '${two(to)}'`;
    months.push(`("year" = '${at.getUTCFullYear()}' AND "month" = '${two(at.getUTCMonth() + 1)}'${days})`);
  }
  return `(${months.join(" OR ")})`;
}

/** The years in which folders can lie: further ones have none, and would only make the text longer. */
export const folderYears = { first: 2024, last: 2099 } as const;

function clamped(time: number): number {
  return Math.min(Math.max(time, Date.UTC(folderYears.first, 0, 1)), Date.UTC(folderYears.last, 11, 31));
}

function isoTime(time: number): string {
  return new Date(clamped(time)).toISOString();
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
