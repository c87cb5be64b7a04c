import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuditEvent, blankEvent } from "../../lambda/access/audit/audit-event.ts";
import { FetchRecorder } from "../../lambda/access/fetch-recorder.ts";
import { anonymous, type Identity, nobody } from "../../lambda/edge/token.ts";

const alice: Identity = { id: "a1", role: "viewer", subject: "alice", modules: "@payments,corp.example" };

function recorder(fetches: "none" | "private" | "all") {
  const written: AuditEvent[][] = [];
  const failures: unknown[] = [];
  let broken = false;
  const made = new FetchRecorder({
    fetches,
    isPrivate: (module) => module.startsWith("corp.example"),
    write: async (events) => {
      if (broken) throw new Error("the disk is full");
      written.push([...events]);
    },
    failed: (error) => failures.push(error),
    now: () => 5000,
  });
  const record = (path: string, identity = alice, decision: "allowed" | "refused" = "allowed", address = "::1") =>
    made.record({ path, identity, decision, address });
  const shown = () =>
    written.flat().map((e) => [e.action, e.module, e.version, e.token, e.decision, e.rule, e.count].join(" "));
  const breakIt = () => {
    broken = true;
  };
  return { made, record, shown, written, failures, breakIt };
}

test("the same by the same is one event with a count, and what was written is written once", async () => {
  const { made, record, shown, written } = recorder("private");
  for (let i = 0; i < 3; i++) record("/corp.example/!m/@v/v1.0.0-!r!c.zip");
  record("/corp.example/!m/@v/v1.0.0-!r!c.zip", alice, "allowed", "192.0.2.1");
  record("/corp.example/!m/@v/list", { ...alice, id: "b2" }, "refused");
  await made.flush();
  await made.flush();
  assert.deepEqual(shown(), [
    "fetch.zip corp.example/M v1.0.0-RC a1 allowed viewer 3",
    "fetch.zip corp.example/M v1.0.0-RC a1 allowed viewer 1",
    "fetch.list corp.example/M  b2 refused module 1",
  ]);
  const [event] = written.flat();
  assert.deepEqual([event?.subject, event?.tenant, event?.address, event?.time], ["alice", "payments", "::1", 5000]);
  assert.equal(written.length, 1);
});

test("private leaves out what is public, and both what is no module", async () => {
  const paths = [
    "/pub.example/m/@v/v1.0.0.mod",
    "/sumdb/s/lookup/corp.example/m@v1.0.0",
    "/sumdb/s/tile/8/0/000",
    "/-/live",
    "/%",
  ];
  const rows = [
    ["private", ["fetch.sumdb corp.example/m"]],
    ["all", ["fetch.mod pub.example/m", "fetch.sumdb corp.example/m", "fetch.sumdb "]],
  ] as const;
  for (const [fetches, expected] of rows) {
    const { made, record, written } = recorder(fetches);
    for (const path of paths) record(path);
    await made.flush();
    assert.deepEqual(
      written.flat().map(({ action, module }) => `${action} ${module}`),
      expected,
    );
  }
});

test("whoever is refused without being known fills little, and each reason is counted", async () => {
  const { made, record, written } = recorder("private");
  for (let i = 0; i < 100; i++) record(`/corp.example/m${i}/@v/list`, i % 2 ? anonymous : nobody("revoked"), "refused");
  record("/corp.example/m/@v/list", alice, "refused");
  record("/corp.example/m/@v/list", anonymous, "allowed");
  await made.flush();
  const events = written.flat();
  assert.equal(events.length, 16 + 2 + 2);
  const others = events.filter(({ action }) => action === "fetch.other");
  assert.deepEqual(others.map(({ rule, count }) => `${rule} ${count}`).sort(), ["no-token 42", "revoked 42"]);
  assert.deepEqual(
    events.slice(-2).map(({ rule }) => rule),
    ["module", "anonymous"],
  );
});

test("however much is asked for, memory is bounded and nothing is uncounted", async () => {
  const { made, record, written } = recorder("all");
  for (let i = 0; i < 12_000; i++) record(`/pub.example/m${i}/@v/list`);
  await made.flush();
  const events = written.flat();
  assert.equal(events.length, 10_001);
  assert.equal(
    events.reduce((sum, { count }) => sum + count, 0),
    12_000,
  );
});

test("what cannot be written is told and let go", async () => {
  const { made, record, shown, failures, breakIt } = recorder("all");
  breakIt();
  record("/pub.example/m/@v/list");
  await made.flush();
  assert.deepEqual([failures.length, shown()], [1, []]);
});

test("other refused requests are counted by what was asked for, and of strangers few are told apart", async () => {
  const { made, shown } = recorder("none");
  const refusal = (token: string, target: string): AuditEvent => ({
    ...{ ...blankEvent, time: 1, action: "request.token-revoke", decision: "refused", rule: "role" },
    ...{ token, target },
  });
  for (let i = 0; i < 3; i++) made.refuse(refusal("a1", "t1"));
  made.refuse(refusal("a1", "t2"));
  for (let i = 0; i < 100; i++) made.refuse(refusal("", `x${i}`));
  await made.flush();
  const rows = shown();
  assert.deepEqual(rows.slice(0, 2), [
    "request.token-revoke   a1 refused role 3",
    "request.token-revoke   a1 refused role 1",
  ]);
  assert.deepEqual([rows.length, rows.at(-1)], [2 + 16 + 1, "request.other    refused role 84"]);
});
