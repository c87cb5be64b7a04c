import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { type AuditEvent, blankEvent, formatAuditEvent } from "../../lambda/access/audit/audit-event.ts";
import type { AuditQuestion } from "../../lambda/access/audit/audit-log.ts";
import { auditSql, literal } from "../../lambda/access/audit/audit-sql.ts";
import { requestsTable } from "../../lambda/access/audit/audit-tables.ts";
import { QueriedAudit } from "../../lambda/access/audit/queried-audit.ts";
import { fetchLine } from "../../lambda/edge/fetch-line.ts";
import { type Identity, nobody } from "../../lambda/edge/token.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { DuckQueries } from "../support/duck-queries.ts";

// The SQL that Athena is asked, over files as CloudFront and the audit log write them, by DuckDB.

const { path: folder, remove } = makeDataFolder();
const alice: Identity = { id: "0aaaaaaaaaaaaaaa", role: "viewer", subject: "alice o'hara", modules: "@payments" };
const bot: Identity = { id: "0bbbbbbbbbbbbbbb", role: "publisher", subject: "ci, 100%+", modules: "corp.example" };

/** As CloudFront encodes what a function gives it, and paths as clients send them. */
interface Line {
  readonly time: string;
  readonly path: string;
  readonly status?: string;
  readonly note?: string;
  readonly request: string;
}

const allowed = (who: Identity) => fetchLine(who, "allowed");
const refused = (who: Identity) => fetchLine(who, "refused");

const lines: readonly Line[] = [
  { time: "2026-10-31T23:59:59", path: "/pay.example/a/@v/v1.0.0.zip", note: allowed(alice), request: "R1" },
  { time: "2026-11-28T10:00:00", path: "/pay.example/a/@v/v1.0.0.info", note: allowed(alice), request: "R2" },
  {
    time: "2026-11-28T10:00:01",
    path: "/pay.example/a/@v/v1.0.0.zip",
    note: refused(bot),
    status: "403",
    request: "R3",
  },
  {
    time: "2026-11-28T10:00:02",
    path: "/pay.example/a/@v/v1.0.0.zip",
    note: refused(nobody("expired")),
    status: "401",
    request: "R4",
  },
  {
    time: "2026-11-28T10:00:03",
    path: "/corp.example/%21big/x/v2/@v/v2.0.0+incompatible.mod",
    note: allowed(bot),
    request: "R5",
  },
  {
    time: "2026-11-28T10:00:04",
    path: "/corp.example/!big/x/v2/@v/v2.0.0%2Bincompatible.zip",
    note: allowed(bot),
    status: "403",
    request: "R6",
  },
  {
    time: "2026-11-28T10:00:05",
    path: "/sumdb/log.example/lookup/pay.example/a@v1.0.0",
    note: allowed(alice),
    request: "R7",
  },
  { time: "2026-11-28T10:00:06", path: "/sumdb/log.example/tile/8/0/000", note: allowed(alice), request: "R8" },
  { time: "2026-11-28T10:00:07", path: "/pay.example/a/@v/list", note: allowed(alice), request: "R9" },
  { time: "2026-11-28T10:00:08", path: "/pay.example/a/@latest", note: allowed(alice), request: "R10" },
  // What is no fetch, or of nobody's: pages, public modules where private ones are written down, a hostile client.
  { time: "2026-11-28T10:00:09", path: "/-/metrics", request: "R11" },
  { time: "2026-11-28T10:00:10", path: "/%zz%c0%af/pay.example/a/@v/v1.0.0.zip", status: "400", request: "R12" },
  { time: "2026-11-28T10:00:11", path: "/%zz", note: "allowed,admin,x", request: "R13" },
  { time: "2026-11-28T10:00:12", path: "/pay.example/a/@v/v1.0.0.zip", note: "%zz", request: "R14" },
];

const change = (time: string, decision: AuditEvent["decision"], fields: Partial<AuditEvent>): AuditEvent => ({
  ...{ ...blankEvent, time: Date.parse(time), action: "token.revoke", decision, request: "C1" },
  ...{ subject: "root", token: "0ccccccccccccccc", target: alice.id, tenant: "payments", rule: "admin", ...fields },
});

const changes: readonly AuditEvent[] = [
  change("2026-11-28T11:00:00.250Z", "intended", {}),
  change("2026-11-28T11:00:00.500Z", "done", {}),
  change("2026-11-27T00:00:00.000Z", "done", { action: "token.create", request: "C0", target: bot.id, tenant: "" }),
];

function write(path: string, bytes: string | Buffer): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

function folderOf(time: string): string {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(time) ?? [];
  return `year=${year}/month=${month}/day=${day}`;
}

function cloudFrontLine({ time, path, status = "200", note, request }: Line): string {
  const [date = "", clock = ""] = time.split("T");
  const known = {
    ...{ date, time: clock, "timestamp(ms)": String(Date.parse(`${time}Z`)), "c-ip": "192.0.2.7", "cs-method": "GET" },
    ...{ "cs-uri-stem": path, "sc-status": status, "x-edge-request-id": request },
    "viewer-request-log-data": note === undefined ? "-" : encodeURIComponent(note),
  };
  return JSON.stringify({ ...Object.fromEntries(requestsTable.columns.map((name) => [name, "-"])), ...known });
}

let queries: DuckQueries;
let audit: QueriedAudit;

before(async () => {
  for (const [i, line] of lines.entries())
    write(
      `requests/AWSLogs/aws-account-id=123456789012/CloudFront/${folderOf(line.time)}/E1.${i}.gz`,
      gzipSync(`${cloudFrontLine(line)}\n`),
    );
  for (const [i, event] of changes.entries()) {
    const time = new Date(event.time).toISOString();
    write(`changes/-/audit/${folderOf(time)}/${i}.json`, `${formatAuditEvent(event)}\n`);
  }
  queries = await DuckQueries.open(folder);
  audit = new QueriedAudit(queries);
});

after(() => {
  queries?.close();
  remove();
});

const since = Date.parse("2026-11-01T00:00:00Z");
const until = Date.parse("2026-12-01T00:00:00Z");

async function ask(question: Partial<AuditQuestion>): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  let next: string | undefined;
  do {
    const page = await audit.query({ since, until, limit: 1000, ...question, after: next });
    events.push(...page.events);
    next = page.next;
  } while (next !== undefined);
  return events;
}

const requestsOf = async (question: Partial<AuditQuestion>) => (await ask(question)).map(({ request }) => request);

test("who fetched a version: everybody who asked for a file of it or its record, and what was decided", async () => {
  const events = await ask({ module: "pay.example/a", version: "v1.0.0" });
  assert.deepEqual(
    events.map(({ request, subject, token, tenant, action, decision, rule }) =>
      [request, subject, token, tenant, action, decision, rule].join(" "),
    ),
    [
      "R2 alice o'hara 0aaaaaaaaaaaaaaa payments fetch.info allowed viewer",
      "R3 ci, 100%+ 0bbbbbbbbbbbbbbb  fetch.zip refused module",
      "R4    fetch.zip refused expired",
      "R7 alice o'hara 0aaaaaaaaaaaaaaa payments fetch.sumdb allowed viewer",
    ],
  );
  assert.deepEqual(events[0], {
    ...{ ...blankEvent, time: Date.parse("2026-11-28T10:00:00Z"), request: "R2", subject: "alice o'hara" },
    ...{ token: alice.id, tenant: "payments", address: "192.0.2.7", action: "fetch.info", module: "pay.example/a" },
    ...{ version: "v1.0.0", decision: "allowed", rule: "viewer", count: 1 },
  });
});

test("who revoked a token: the change as it was intended, and done", async () => {
  assert.deepEqual(await ask({ action: "token.revoke" }), changes.slice(0, 2));
  assert.doesNotMatch(queries.asked.at(-1) ?? "", /requests/);
});

test("an event is found by each of its sides, the oldest first, changes among fetches", async () => {
  const all = ["C0", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "C1", "C1"];
  const rows: readonly (readonly [question: Partial<AuditQuestion>, requests: readonly string[]])[] = [
    [{}, all],
    [{ since: 0 }, ["R1", ...all]],
    [{ since: 0, until: since }, ["R1"]],
    [{ module: "corp.example/Big/x/v2" }, ["R5", "R6"]],
    [{ module: "corp.example/Big/x/v2", version: "v2.0.0+incompatible" }, ["R5", "R6"]],
    [{ module: "pay.example/a" }, ["R2", "R3", "R4", "R7", "R9", "R10"]],
    [{ who: "alice o'hara" }, ["R2", "R7", "R8", "R9", "R10"]],
    [{ who: bot.id }, ["R3", "R5", "R6"]],
    [{ who: "payments", action: "fetch" }, ["R2", "R7", "R8", "R9", "R10"]],
    [{ who: "payments", action: "token" }, ["C1", "C1"]],
    [{ action: "fetch.zip" }, ["R3", "R4", "R6"]],
    [{ action: "fetch.list" }, ["R9"]],
    [{ action: "fetch.latest" }, ["R10"]],
    [{ action: "fetch" }, all.filter((each) => each.startsWith("R"))],
    [{ action: "fetch.none" }, []],
    [{ since: Date.parse("2026-11-28T10:00:05Z"), until: Date.parse("2026-11-28T10:00:07Z") }, ["R7", "R8"]],
    [{ who: "nobody" }, []],
    [{ who: "' OR ''='" }, []],
    [{ module: "pay.example/b" }, []],
  ];
  for (const [question, expected] of rows)
    assert.deepEqual(await requestsOf(question), expected, JSON.stringify(question));
});

test("content that was refused behind the edge is told from who was", async () => {
  const [, event] = await ask({ module: "corp.example/Big/x/v2" });
  assert.deepEqual([event?.decision, event?.rule, event?.subject], ["refused", "content", bot.subject]);
});

test("what cannot be a module is refused before anything is asked", async () => {
  const before = queries.asked.length;
  for (const module of ["", "a", "x'; --", "pay.example/a/../b", "pay.example/é"])
    await assert.rejects(ask({ module }), { code: "bad-page" }, module);
  for (const who of ["é", "a\0", "a\nb"]) await assert.rejects(ask({ who }), { code: "bad-page" });
  await assert.rejects(ask({ module: "pay.example/a", version: "a/b" }), { code: "bad-page" });
  assert.equal(queries.asked.length, before);
});

const anyText = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });

test("whatever is asked for is one text of the SQL, and finds what is equal to it alone", async () => {
  const nasty = fc.oneof(
    anyText,
    fc.constantFrom("'", "''", "\\'", "' OR 1=1 --", "*/", "'); DROP VIEW changes; --", "$1", "%", "_"),
  );
  await fc.assert(
    fc.asyncProperty(
      nasty.filter((text) => text !== ""),
      async (text) => {
        const { connection } = queries;
        const [[value] = []] = (await connection.runAndReadAll(`SELECT ${literal(text)}`)).getRows();
        assert.equal(value, text);
        assert.deepEqual(await requestsOf({ who: text, action: "token" }), []);
      },
    ),
    { numRuns: 60 },
  );
  assert.deepEqual(await requestsOf({ who: "root" }), ["C0", "C1", "C1"]);
});

test("outside of its literals and numbers the SQL is always the same", () => {
  const bare = (sql: string) => sql.replace(/'(?:[^']|'')*'/g, "''").replace(/\d+/g, "0");
  const question = { since, until, limit: 1, module: "pay.example/a", version: "v1", action: "x", who: "x" };
  const expected = bare(auditSql(question, { module: "pay.example/a", version: "v1" }));
  fc.assert(
    fc.property(anyText, anyText, anyText, anyText, (module, version, who, action) => {
      fc.pre(!action.startsWith("fetch"));
      const sql = auditSql({ ...question, module, version, who, action }, { module, version });
      assert.equal(bare(sql), expected);
    }),
  );
});

test("only the folders of the time that is asked for are read, however long it is", () => {
  const foldersOf = (from: string, to: string) =>
    /WHERE (\(\(.*\)\))\n/.exec(
      auditSql({ since: Date.parse(from), until: Date.parse(to), limit: 1, action: "x" }, {}),
    )?.[1];
  assert.equal(
    foldersOf("2026-11-28T10:00:00Z", "2026-11-28T10:00:01Z"),
    `(("year" = '2026' AND "month" = '11' AND "day" BETWEEN '28' AND '28'))`,
  );
  assert.equal(
    foldersOf("2026-12-31T23:59:59Z", "2027-03-01T00:00:00Z"),
    `(("year" = '2026' AND "month" = '12' AND "day" BETWEEN '31' AND '31') OR ("year" = '2027' AND "month" = '01') OR ` +
      `("year" = '2027' AND "month" = '02') OR ("year" = '2027' AND "month" = '03' AND "day" BETWEEN '01' AND '01'))`,
  );
  for (const [from, to] of [
    [0, 9e15],
    [-1e15, 0],
    [9e14, 9e15],
  ] as const)
    assert.ok(auditSql({ since: from, until: to, limit: 1 }, {}).length < 100_000);
});
