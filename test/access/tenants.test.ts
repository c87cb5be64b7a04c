import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { managedTenants, mayMakeToken, mayManageModule, mayManageToken } from "../../lambda/access/tenant-admin.ts";
import { resolveTenants, type Tenants, tenantOf } from "../../lambda/access/tenants.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import type { Identity, Role } from "../../lambda/edge/token.ts";
import { matchPrefixPatterns } from "../../lambda/golang/module.ts";
import { MemoryTokenStore } from "../support/tokens.ts";

const tenants: Tenants = {
  payments: { modules: ["corp.example/pay", "corp.example/pay-*"], admins: ["alice", "both"] },
  games: { modules: ["games.example"], admins: ["bob", "both"] },
  nobodys: { modules: ["nobodys.example"] },
};

function holder(subject: string, modules: string, role: Identity["role"] = "viewer"): Identity {
  return { id: "a", role, subject, modules };
}

const alice = holder("alice", "@payments");

test("a tenant's admin is whom the configuration names, with a token that names the tenant", () => {
  const rows: readonly (readonly [Identity, readonly string[]])[] = [
    [alice, ["payments"]],
    [holder("both", "@payments,@games"), ["payments", "games"]],
    [holder("alice", "@games"), []],
    [holder("alice", "corp.example/pay"), []], // its patterns alone do not make an admin
    [holder("alice", "*"), []],
    [holder("carol", "@payments"), []],
    [holder("", "@nobodys"), []],
    [holder("alice", "@payments", "anonymous"), []],
    [holder("alice", "@constructor"), []],
  ];
  for (const [identity, managed] of rows) assert.deepEqual(managedTenants(identity, tenants), managed);
});

test("a tenant's admin makes and revokes tokens of the tenant alone, and no others", () => {
  const rows: readonly (readonly [role: string, modules: string | undefined, may: boolean])[] = [
    ["viewer", "@payments", true],
    ["publisher", "corp.example/pay/api,corp.example/pay-web", true],
    ["viewer", "corp.example/pay-*/v2", true],
    ["operator", "@payments", false], // of the organisation
    ["admin", "@payments", false],
    ["viewer", "", false], // nobody's
    ["viewer", undefined, false],
    ["viewer", "*", false],
    ["viewer", "corp.example", false],
    ["viewer", "@payments,@games", false],
    ["viewer", "@payments,games.example", false],
    ["viewer", "@nobody", false],
    ["root", "@payments", false],
  ];
  for (const [role, modules, may] of rows) {
    assert.equal(mayMakeToken(alice, { role, modules }, tenants), may, `${role} ${modules}`);
    const record = { role: role as Role, modules: modules ?? "" };
    assert.equal(mayManageToken(alice, record, tenants), may, `${role} ${modules}`);
    assert.equal(mayMakeToken(holder("root", "", "admin"), { role, modules }, tenants), true);
    assert.equal(mayMakeToken(holder("alice", "@payments", "anonymous"), { role, modules }, tenants), false);
    assert.equal(mayMakeToken(holder("ops", "*", "operator"), { role, modules }, tenants), false);
  }
});

test("upstream credentials and blocks are a tenant's below its own modules, without globs", () => {
  const rows: readonly (readonly [match: string, may: boolean])[] = [
    ["corp.example/pay", true],
    ["corp.example/pay/api", true],
    ["corp.example/pay-web", true],
    ["corp.example", false],
    ["corp.example/payments", false],
    ["corp.example/pay*", false],
    ["corp.example/pay,games.example", false],
    ["@payments", false],
    ["", false],
    ["games.example", false],
  ];
  for (const [match, may] of rows) {
    assert.equal(mayManageModule(alice, match, tenants), may, match);
    assert.equal(mayManageModule(holder("root", "", "admin"), match, tenants), true);
  }
});

const piece = fc.constantFrom(
  ...["@payments", "@games", "@nobodys", "@x", "*", "corp.example", "corp.example/pay", "corp.example/pay/*"],
  ...[
    "corp.example/p*",
    "games.example/a",
    "*.example",
    "corp.example/pay-a",
    "corp.example/*-a",
    "corp.example/pay-*/a",
  ],
);
const modules = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(","));
const path = fc.constantFrom(
  ...[
    "corp.example",
    "corp.example/pay",
    "corp.example/pay/a",
    "corp.example/pay-a",
    "corp.example/x-a",
    "games.example",
  ],
  ...["games.example/a", "nobodys.example", "corp.example/pay-b/a", "corp.example/p", "public.example/a"],
);
const subject = fc.constantFrom("alice", "bob", "both", "carol");
const role = fc.constantFrom("viewer", "publisher", "operator") as fc.Arbitrary<Role>;

test("no token that a tenant's admin makes opens or manages more than the admin's own tenants", () => {
  fc.assert(
    fc.property(subject, modules, role, subject, modules, role, path, (who, own, as, whom, given, to, module) => {
      const admin = holder(who, own, as);
      if (!mayMakeToken(admin, { role: to, modules: given }, tenants)) return;
      const managed = managedTenants(admin, tenants);
      const opened = resolveTenants(given.split(","), tenants).join(",");
      const owned = resolveTenants(
        managed.map((name) => `@${name}`),
        tenants,
      ).join(",");
      if (matchPrefixPatterns(opened, module)) assert.ok(matchPrefixPatterns(owned, module), `${given} ${module}`);
      const made = managedTenants(holder(whom, given, to), tenants);
      assert.ok(made.every((name) => managed.includes(name)));
    }),
    { numRuns: 5000 },
  );
});

test("a module is one tenant's at most", () => {
  assert.equal(tenantOf("corp.example/pay-web/v2", tenants), "payments");
  assert.equal(tenantOf("corp.example/web", tenants), undefined);
});

test("a token can name tenants that there are, two at most", async () => {
  const store = new MemoryTokenStore();
  const names = ["payments", "games", "nobodys"];
  const make = (modules: string) =>
    createToken(store, { subject: "s", role: "viewer", modules, days: 1 }, 1_800_000_000, { tenants: names });
  assert.equal((await make("@payments, @games,corp.example/x")).record.modules, "@payments,@games,corp.example/x");
  await assert.rejects(make("@payment"), { code: "bad-token-request", message: /@payment: there is no such tenant/ });
  await assert.rejects(make("@payments,@games,@nobodys"), { message: /can name 2 tenants: make one for each/ });
  await assert.rejects(createToken(store, { subject: "s", role: "viewer", modules: "@payments", days: 1 }, 0), {
    message: /no such tenant/,
  });
});
