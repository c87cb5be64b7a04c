import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuditEvent, blankEvent } from "../../lambda/access/audit/audit-event.ts";
import type { AuditLog, AuditQuestion } from "../../lambda/access/audit/audit-log.ts";
import { faultKinds, withFailpoints } from "../support/with-failpoints.ts";
import { type Open, openFor } from "./opened.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 10, 27, 23, 59, 59);

function eventAt(time: number, rest: Partial<AuditEvent> = {}): AuditEvent {
  return { ...blankEvent, action: "token.create", decision: "done", request: String(time), ...rest, time };
}

/** Around midnight, and with texts that a careless store would take for something else. */
const events: readonly AuditEvent[] = [
  eventAt(start, { subject: "alice", token: "a1", action: "token.create", target: "b2" }),
  eventAt(start + 500, {
    subject: "bob",
    token: "b2",
    action: "fetch.zip",
    module: "corp.example/m",
    version: "v1.0.0",
  }),
  eventAt(start + 500, {
    subject: "bob",
    token: "b2",
    action: "fetch.zip",
    module: "corp.example/m",
    version: "v1.1.0",
  }),
  eventAt(start + 2000, { subject: `x"\n{}' --`, tenant: "payments", action: "tokens", address: "::1", count: 7 }),
  eventAt(start + day, { subject: "carol", token: "alice", action: "token.revoke", decision: "refused", rule: "role" }),
  eventAt(start + 3 * day, { module: "corp.example/M", version: "v1.0.0", action: "fetch.info", decision: "allowed" }),
];

const everything: AuditQuestion = { since: 0, until: start + 1000 * day, limit: 100 };

async function all(log: AuditLog, question: Partial<AuditQuestion> = {}): Promise<readonly AuditEvent[]> {
  const found: AuditEvent[] = [];
  for (let after: string | undefined; ; ) {
    const page: { events: readonly AuditEvent[]; next?: string } = await log.query({
      ...everything,
      ...question,
      after,
    });
    assert.ok(page.events.length <= (question.limit ?? 100));
    found.push(...page.events);
    if (page.next === undefined) return found;
    after = page.next;
  }
}

/** What every `AuditLog` must do, whatever it keeps its events in. */
export function auditLogContract(name: string, open: Open<AuditLog>): void {
  describe(`${name} keeps the contract of AuditLog`, () => {
    test("what was written is there, whole and in the order of time", async (t) => {
      const { store, other } = await openFor(t, open);
      assert.deepEqual(await store.query(everything), { events: [] });
      for (const event of [...events].reverse()) await store.write(event);
      const byTime = (found: readonly AuditEvent[]) => found.map(({ time }) => time);
      for (const log of [store, other]) {
        const found = await all(log);
        assert.deepEqual(byTime(found), byTime(events));
        const sorted = (list: readonly AuditEvent[]) => list.map((event) => JSON.stringify(event, order)).sort();
        assert.deepEqual(sorted(found), sorted(events));
      }
    });

    test("a question is answered by what fits all of it", async (t) => {
      const { store } = await openFor(t, open);
      for (const event of events) await store.write(event);
      const rows: readonly (readonly [Partial<AuditQuestion>, readonly number[]])[] = [
        [{ module: "corp.example/m" }, [1, 2]],
        [{ module: "corp.example/m", version: "v1.1.0" }, [2]],
        [{ module: "corp.example" }, []],
        // By name, by the id of a token, by tenant.
        [{ who: "bob" }, [1, 2]],
        [{ who: "alice" }, [0, 4]],
        [{ who: "payments" }, [3]],
        [{ action: "token" }, [0, 4]],
        [{ action: "token.revoke" }, [4]],
        [{ action: "toke" }, []],
        [{ since: start + 500 }, [1, 2, 3, 4, 5]],
        [{ since: start + 501, until: start + day }, [3]],
        [{ until: start }, []],
        [{ who: "bob", since: start + 501 }, []],
        [{ module: "corp.example/m", since: start + 501 }, []],
        [{ since: start + 3 * day, until: start + 3 * day + 1 }, [5]],
      ];
      for (const [question, expected] of rows) {
        const found = await all(store, question);
        const places = found.map((event) =>
          events.findIndex((each) => JSON.stringify(each, order) === JSON.stringify(event, order)),
        );
        assert.deepEqual(places.sort(), expected, JSON.stringify(question));
      }
    });

    test("page by page nothing is missing and nothing comes twice, also when somebody writes meanwhile", async (t) => {
      const { store, other } = await openFor(t, open);
      const times = [0, 0, 0, 1, 2, 2, day, day + 1].map((late) => start + late);
      for (const [i, time] of times.entries()) await store.write(eventAt(time, { target: `t${i}` }));
      for (const limit of [1, 2, 3, 8]) {
        const found: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = await store.query({ ...everything, limit, after });
          found.push(...page.events.map(({ target }) => target));
          if (found.length < 4) await other.write(eventAt(start + 2 * day, { target: "later" }));
          if (page.next === undefined) break;
          after = page.next;
        }
        const asked = found.filter((target) => target !== "later");
        assert.deepEqual(
          asked.sort(),
          times.map((_, i) => `t${i}`),
          `limit ${limit}`,
        );
      }
    });

    test("events of many writers at the same moment are all kept", async (t) => {
      const { store, other } = await openFor(t, open);
      const writers = Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other));
      await Promise.all(writers.map((log, i) => log.write(eventAt(start, { target: `t${i}` }))));
      assert.equal(new Set((await all(other)).map(({ target }) => target)).size, 12);
    });

    for (const kind of faultKinds) {
      test(`an event whose write ${kind} without an answer may be written again`, async (t) => {
        const { store, other } = await openFor(t, open);
        const failing = withFailpoints(store, [{ method: "write", kind, call: 1 }]);
        const event = events[0] as AuditEvent;
        await assert.rejects(failing.write(event), { code: "store-failed" });
        await failing.write(event);
        assert.equal((await all(other)).length, kind === "landed" ? 2 : 1);
      });
    }

    test("unfinished are the intended changes without an end", async (t) => {
      const { store, other } = await openFor(t, open);
      const change = (request: string, decision: AuditEvent["decision"], time = start, target = "t") =>
        store.write(eventAt(time, { request, decision, target }));
      await change("old", "intended", start - 1);
      await change("ended", "intended");
      await change("open", "intended");
      await change("ended", "done", start + day);
      await change("broken", "intended");
      await change("broken", "failed");
      await change("open", "allowed");
      await change("two", "intended", start + 1, "first");
      await change("two", "done", start + 2, "first");
      await change("two", "intended", start + 3, "second");
      const found = await other.unfinished(start);
      assert.deepEqual(found.map(({ request, target }) => `${request} ${target}`).sort(), ["open t", "two second"]);
    });

    test("a page that it never gave is refused", async (t) => {
      const { store } = await openFor(t, open);
      for (const after of ["", "x", "../", "1.2.3", "-1.5"])
        await assert.rejects(store.query({ ...everything, after }), { code: "bad-page" }, after);
    });
  });
}

/** Fields in one order, whoever made the object. */
const order = ["time", ...Object.keys(blankEvent), "action", "decision"];
