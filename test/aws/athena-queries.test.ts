import assert from "node:assert/strict";
import { test } from "node:test";
import type { AthenaClient } from "@aws-sdk/client-athena";
import { QueriedAudit } from "../../lambda/access/audit/queried-audit.ts";
import { AthenaQueries } from "../../lambda/aws/athena-queries.ts";

const event = ["2026-11-28T10:00:00.000Z", "R1", "alice", "0aaa", "payments", "192.0.2.1", "fetch.zip"];
const row = [...event, "pay.example/!a", "v1.0.0", "", "allowed", "viewer", "1"];
const header = ["time", "request"];

type Answer = unknown;

/** Athena, which answers in this order; and a clock that goes on when somebody waits. */
function athena(answers: readonly Answer[]) {
  const sent: { readonly name: string; readonly input: unknown }[] = [];
  const rest = [...answers];
  let now = 0;
  const client = {
    send: async (command: { readonly input: unknown }) => {
      sent.push({ name: command.constructor.name.replace(/Command$/, ""), input: command.input });
      const answer = rest.length > 1 ? rest.shift() : rest[0];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as AthenaClient;
  const sleep = async (milliseconds: number) => {
    now += milliseconds;
  };
  const clock = { now: () => now, sleep };
  const queries = new AthenaQueries({ client, workgroup: "modfront-audit", database: "modfront_audit", clock });
  return { audit: new QueriedAudit(queries), queries, sent };
}

const begun = { QueryExecutionId: "id-1" };
const state = (State: string, StateChangeReason?: string) => ({
  QueryExecution: { Status: { State, StateChangeReason } },
});
const results = (rows: readonly (readonly string[])[], NextToken?: string) => ({
  ResultSet: { Rows: rows.map((each) => ({ Data: each.map((VarCharValue) => ({ VarCharValue })) })) },
  NextToken,
});

test("a question is one query, waited for, whose pages are read one after the other", async () => {
  const { audit, sent } = athena([
    ...[begun, state("QUEUED"), state("RUNNING"), state("SUCCEEDED")],
    ...[results([header, row], "t/+ 2"), results([row, row])],
  ]);
  const question = { since: 0, until: 1, limit: 10, module: "pay.example/A" };
  const first = await audit.query(question);
  assert.deepEqual([first.events[0]?.module, first.events.length], ["pay.example/A", 1]);
  const second = await audit.query({ ...question, after: first.next });
  assert.deepEqual([second.events.length, second.next], [2, undefined]);
  const [start, , , , one, two] = sent;
  assert.deepEqual(
    sent.map(({ name }) => name),
    [
      "StartQueryExecution",
      "GetQueryExecution",
      "GetQueryExecution",
      "GetQueryExecution",
      "GetQueryResults",
      "GetQueryResults",
    ],
  );
  const { QueryString, ...where } = (start ?? assert.fail()).input as { readonly QueryString: string };
  assert.match(QueryString, /module = 'pay\.example\/!a'/);
  assert.deepEqual(where, { WorkGroup: "modfront-audit", QueryExecutionContext: { Database: "modfront_audit" } });
  assert.deepEqual(one?.input, { QueryExecutionId: "id-1", NextToken: undefined, MaxResults: 1000 });
  assert.deepEqual(two?.input, { QueryExecutionId: "id-1", NextToken: "t/+ 2", MaxResults: 1000 });
});

test("whoever asks learns that it was too much, or that it cannot be asked, and none of AWS's words", async () => {
  const secret = "s3://bucket/key of somebody";
  const rows: readonly (readonly [answers: readonly Answer[], message: RegExp])[] = [
    [
      [begun, state("CANCELLED", `Bytes scanned limit was exceeded ${secret}`)],
      /would read more than the workgroup allows/,
    ],
    [[begun, state("FAILED", `SYNTAX_ERROR ${secret}`)], /its console has the reason/],
    [[begun, state("RUNNING")], /took longer than 5 minutes/],
    [[new Error(secret)], /do the AWS credentials/],
  ];
  for (const [answers, message] of rows) {
    const { queries, sent } = athena(answers);
    await assert.rejects(queries.run("SELECT 1"), (error: Error & { code?: string }) => {
      assert.equal(error.code, "audit-unanswered");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /somebody/);
      return true;
    });
    assert.equal(
      sent.some(({ name }) => name === "StopQueryExecution"),
      message.source.includes("minutes"),
    );
  }
});
