import assert from "node:assert/strict";
import { test } from "node:test";
import { blankEvent } from "../../lambda/access/audit/audit-event.ts";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { MemoryAuditLog } from "../support/memory-audit-log.ts";
import { faultKinds, withFailpoints } from "../support/with-failpoints.ts";

const actor = { request: "r1", subject: "alice", token: "a1", tenant: "", address: "192.0.2.1", rule: "admin" };

function shown(log: MemoryAuditLog): readonly string[] {
  return log.events.map(({ action, target, decision, rule }) => `${action} ${target} ${decision} ${rule}`);
}

test("a change is intended before it happens, and done after", async () => {
  const log = new MemoryAuditLog();
  const result = await new AuditedChanges(log, () => 5000).run(actor, "token.create", async (intend) => {
    await intend({ target: "b2", tenant: "payments" });
    assert.deepEqual(shown(log), ["token.create b2 intended admin"]);
    return "made";
  });
  assert.equal(result, "made");
  assert.deepEqual(shown(log), ["token.create b2 intended admin", "token.create b2 done admin"]);
  const { request, subject, token, tenant, address, time } = log.events[1] ?? assert.fail();
  assert.deepEqual(
    [request, subject, token, tenant, address, time],
    ["r1", "alice", "a1", "payments", "192.0.2.1", 5000],
  );
});

for (const kind of faultKinds) {
  test(`nothing is changed when the word before it ${kind} without an answer`, async () => {
    const log = new MemoryAuditLog();
    const failing = withFailpoints(log, [{ method: "write", kind, call: 1 }]);
    let changed = false;
    const change = new AuditedChanges(failing, () => 0).run(actor, "token.revoke", async (intend) => {
      await intend({ target: "b2" });
      changed = true;
    });
    await assert.rejects(change, { code: "store-failed" });
    assert.equal(changed, false);
  });

  test(`a change is told to have happened when the word after it ${kind} without an answer`, async () => {
    const log = new MemoryAuditLog();
    const failing = withFailpoints(log, [{ method: "write", kind, call: 2 }]);
    const changes = new AuditedChanges(failing, () => 100_000);
    assert.equal(
      await changes.run(actor, "token.revoke", async (intend) => {
        await intend({ target: "b2" });
        return "revoked";
      }),
      "revoked",
    );
    const later = new AuditedChanges(log, () => 200_000);
    assert.equal(await later.settle(async () => true), kind === "failed" ? 1 : 0);
    assert.deepEqual(shown(log)[1], `token.revoke b2 done ${kind === "failed" ? "settled" : "admin"}`);
  });
}

test("who is asked often settles once in a while", async () => {
  const log = new MemoryAuditLog();
  let now = 100_000;
  const changes = new AuditedChanges(log, () => now);
  const intended = { ...blankEvent, ...actor, action: "token.revoke", decision: "intended", time: 0 } as const;
  const settled = async (target: string) => {
    await log.write({ ...intended, target });
    await changes.settleAgain(async () => true, 1000);
    return shown(log).at(-1);
  };
  assert.equal(await settled("b2"), "token.revoke b2 done settled");
  now += 999;
  assert.equal(await settled("b3"), "token.revoke b3 intended admin");
  now += 1;
  assert.equal(await settled("b4"), "token.revoke b4 done settled");
  assert.ok(shown(log).includes("token.revoke b3 done settled"));
});

test("a change that begins again, because another writer was faster, is intended once", async () => {
  const log = new MemoryAuditLog();
  await new AuditedChanges(log, () => 0).run(actor, "token.revoke", async (intend) => {
    await intend({ target: "b2" });
    await intend({ target: "b2" });
  });
  assert.equal(log.events.length, 2);
});

test("a change that was none leaves no word, and one that throws leaves what it intended", async () => {
  const log = new MemoryAuditLog();
  const changes = new AuditedChanges(log, () => 0);
  await changes.run(actor, "token.revoke", async () => {});
  const thrown = changes.run(actor, "token.create", async (intend) => {
    await intend({ target: "b2" });
    throw new Error("the answer was lost");
  });
  await assert.rejects(thrown, /lost/);
  assert.deepEqual(shown(log), ["token.create b2 intended admin"]);
});

test("what was intended is settled by what became of it, when nobody can be at it any more", async () => {
  const log = new MemoryAuditLog();
  let now = 1_000_000;
  const changes = new AuditedChanges(log, () => now);
  for (const target of ["happened", "did-not", "unknown"]) {
    const dying = changes.run({ ...actor, request: target }, "token.create", async (intend) => {
      await intend({ target });
      throw new Error("died");
    });
    await assert.rejects(dying);
  }
  const happened = async ({ target }: { readonly target: string }) =>
    target === "unknown" ? undefined : target === "happened";
  now += 60_000 - 1;
  assert.equal(await changes.settle(happened), 0);
  now += 1;
  assert.equal(await changes.settle(happened), 2);
  assert.deepEqual(shown(log).slice(3), ["token.create happened done settled", "token.create did-not failed settled"]);
  assert.equal(await changes.settle(happened), 0);
});
