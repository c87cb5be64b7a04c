import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blankEvent } from "../../../lambda/access/audit/audit-event.ts";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { auditStatements, SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { dataFolder } from "../../support/data-folder.ts";

const event = { ...blankEvent, action: "fetch.zip", decision: "allowed", module: "corp.example/m" } as const;

test("the database itself refuses to change an event, or to take one away before its time", async (t) => {
  const database = openAuditDatabase(join(dataFolder(t), auditFile));
  t.after(() => database.close());
  const log = new SqliteAuditLog(database);
  for (const time of [1000, 2000, 3000]) await log.write({ ...event, time });
  const refused = { message: /the audit log is only added to/ };
  assert.throws(() => database.durable.exec("UPDATE event SET subject = 'somebody else'"), refused);
  assert.throws(() => database.durable.exec("DELETE FROM event WHERE time = 1000"), refused);
  assert.throws(() => database.durable.exec("DELETE FROM event"), refused);
  await log.forget(2000);
  const { events } = await log.query({ since: 0, until: 9000, limit: 9 });
  assert.deepEqual(
    events.map(({ time }) => time),
    [2000, 3000],
  );
  // The clock set back takes nothing more away, and does not bring the limit back.
  await log.forget(0);
  assert.throws(() => database.durable.exec("DELETE FROM event WHERE time = 2000"), refused);
});

test("many old events go in slices, and many new ones come in slices", async (t) => {
  const database = openAuditDatabase(join(dataFolder(t), auditFile));
  t.after(() => database.close());
  const log = new SqliteAuditLog(database);
  await log.writeMany(Array.from({ length: 2500 }, (_, time) => ({ ...event, time })));
  const everything = { since: 0, until: 9000, limit: 9000 };
  assert.equal((await log.query(everything)).events.length, 2500);
  await log.forget(2400);
  assert.equal((await log.query(everything)).events.length, 100);
});

test("questions are answered by an index, and never by a look at every event", (t) => {
  const database = openAuditDatabase(join(dataFolder(t), auditFile));
  t.after(() => database.close());
  const planOf = (text: string) => {
    const statement = database.quick.prepare(`EXPLAIN QUERY PLAN ${text}`);
    return statement
      .all()
      .map(({ detail }) => String(detail))
      .join("; ");
  };
  assert.match(planOf(auditStatements.slice), /^SEARCH event USING INDEX event_time \(\(?time/);
  assert.match(planOf(auditStatements.ofModule), /^SEARCH event USING INDEX event_module \(module=\? AND /);
  assert.match(planOf(auditStatements.changes), /^SEARCH event USING INDEX event_change \(time>\?\)$/);
  assert.match(planOf(auditStatements.forget), /SEARCH event USING COVERING INDEX event_time \(time<\?\)/);
});

test("a file that is no database stops with what to do about it; one of a later version too", (t) => {
  const path = join(dataFolder(t), auditFile);
  writeFileSync(path, "no database, but long enough to be taken for the header of one".repeat(20));
  assert.throws(() => openAuditDatabase(path), {
    code: "audit-damaged",
    message: /restore audit\.sqlite, or move it away/,
  });
  const later = join(dataFolder(t), auditFile);
  const made = openAuditDatabase(later);
  made.durable.exec("PRAGMA user_version = 99");
  made.close();
  assert.throws(() => openAuditDatabase(later), { code: "audit-too-new" });
});
