import assert from "node:assert/strict";
import { before, test } from "node:test";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedTokens } from "../../lambda/access/audited-tokens.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import { overviewRoutes } from "../../lambda/admin/overview-routes.ts";
import { tokenRoutes } from "../../lambda/admin/token-routes.ts";
import type { Identity, Role } from "../../lambda/edge/token.ts";
import { frame } from "../../lambda/http/frame.ts";
import type { Route } from "../../lambda/http/route.ts";
import { siteHandler } from "../../lambda/http/site.ts";
import { parsePath } from "../../lambda/proxy/serve/received-path.ts";
import { MemoryAuditLog } from "../support/memory-audit-log.ts";
import { MemoryTokenStore } from "../support/tokens.ts";

// Tenant × row × role of what is managed, which both planes answer by the same rows: nobody but an admin changes or sees
// what is another tenant's, and a tenant's admin is told of its own alone.

const now = 1_800_000_000;
/** One subject manages both: which one, the token says. */
const tenants = {
  payments: { modules: ["pay.example"], admins: ["boss"] },
  games: { modules: ["games.example"], admins: ["boss"] },
};
const access = { anonymous: "none", private: "pay.example,games.example" } as const;
const roles: readonly Role[] = ["viewer", "publisher", "operator", "admin"];

const store = new MemoryTokenStore();
const log = new MemoryAuditLog();
const changes = new AuditedChanges(log, () => now * 1000);
const tokens = new AuditedTokens({ store, changes, tenants: Object.keys(tenants), now: () => now });
const parts = { store, tokens, audit: log, tenants, now: () => now * 1000 };
const rows: readonly Route[] = [...tokenRoutes(parts), ...overviewRoutes(parts)];
const site = siteHandler(rows, access);
/** A token of each tenant, by its name. */
const ids: Record<string, string> = {};

before(async () => {
  for (const name of Object.keys(tenants)) {
    const request = { subject: `${name}-dev`, role: "viewer", modules: `@${name}`, days: 1 };
    ids[name] = (await createToken(store, request, now, { tenants: Object.keys(tenants) })).record.id;
  }
});

/** How each row is asked about a tenant, and what a tenant's admin gets for their own and for another. A row without an entry fails. */
interface Asked {
  readonly path?: (tenant: string) => string;
  readonly body?: (tenant: string) => unknown;
  readonly own: number;
  readonly other: number;
}

const questions: Readonly<Record<string, Asked>> = {
  tokens: { own: 200, other: 200 },
  "token-create": {
    body: (tenant) => ({ subject: "new", modules: `@${tenant}`, days: 1 }),
    own: 201,
    other: 403,
  },
  "token-revoke": { path: (tenant) => `/-/api/tokens/${ids[tenant]}`, own: 200, other: 404 },
  // Of the organisation, whose the keys and the log are.
  "token-keys": { body: () => ({}), own: 403, other: 403 },
  tenants: { own: 200, other: 200 },
  audit: { own: 403, other: 403 },
};

test("every row of administration says how it is asked about a tenant", () => {
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), Object.keys(questions).toSorted());
});

async function ask(route: Route, { path, body }: Asked, tenant: string, identity: Identity) {
  const bytes = new TextEncoder().encode(JSON.stringify(body?.(tenant)));
  const result = await site({
    method: route.methods[0] ?? "",
    routed: parsePath(path?.(tenant) ?? route.address),
    headers: { "content-type": "application/json", accept: "application/json" },
    identity,
    body: async () => bytes,
  });
  const answer = frame(result);
  return { status: answer.status, text: Buffer.from(answer.body as Uint8Array).toString() };
}

test("tenant × row × role: an admin all, a tenant's admin its own in every role, nobody else anything, and no word of another", async () => {
  let checked = 0;
  for (const route of rows) {
    const asked = questions[route.name] as Asked;
    for (const tenant of ["payments", "games"] as const) {
      for (const subject of ["boss", "dev"]) {
        for (const role of roles) {
          for (const modules of ["@payments", "@games", "pay.example", "*"]) {
            const identity = { id: "asker", role, subject, modules };
            const { status, text } = await ask(route, asked, tenant, identity);
            const manages = subject === "boss" && modules.startsWith("@") ? modules.slice(1) : undefined;
            const what = `${route.name} of ${tenant}: ${subject} ${role} ${modules}: ${status} ${text}`;
            checked++;
            if (role === "admin") {
              assert.ok(status < 300, what);
              continue;
            }
            const expected = manages === undefined ? 403 : manages === tenant ? asked.own : asked.other;
            assert.equal(status, expected, what);
            const hidden = Object.keys(tenants).filter((name) => name !== manages);
            for (const name of hidden) {
              const words = [
                ids[name] ?? "",
                `@${name}`,
                `${name}-dev`,
                name === "games" ? "games.example" : "pay.example",
              ];
              for (const word of words.filter((each) => !asked.path?.(tenant).includes(each)))
                assert.ok(!text.includes(word), what);
            }
          }
        }
      }
    }
  }
  assert.equal(checked, rows.length * 2 * 2 * roles.length * 4);
});

test("what was refused left no event, and what was changed has one of whom the change was of", () => {
  const strangers = log.events.filter(({ subject, rule }) => subject === "dev" && rule !== "admin");
  assert.deepEqual(strangers, []);
  const byBoss = log.events.filter(({ rule, action }) => rule === "tenant-admin" && action.startsWith("token."));
  assert.ok(byBoss.length > 0);
  for (const { tenant, action } of log.events) if (action !== "token.rotate-key") assert.ok(tenant in tenants, action);
});
