import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { createToken } from "../../lambda/access/tokens.ts";
import { explainRoutes } from "../../lambda/admin/explain-routes.ts";
import { page } from "../../lambda/console/page-handler.ts";
import type { AccessSettings } from "../../lambda/edge/access-settings.ts";
import { routes } from "../../lambda/edge/routes.ts";
import type { Identity, Role } from "../../lambda/edge/token.ts";
import { frame } from "../../lambda/http/frame.ts";
import { parsePath } from "../../lambda/proxy/serve/received-path.ts";
import { serveSumdb } from "../../lambda/proxy/serve/serve.ts";
import { judge, siteRows } from "../support/judgement.ts";
import { basic, edgeContext, MemoryTokenStore } from "../support/tokens.ts";

// Tenant × route × role, made from the tables: what is a tenant's is for its own, and nobody else is told that it is there.

const now = 1_800_000_000;
const tenants = { payments: "pay.example/a,corp.example/pay-*", games: "games.example/b" };
const settings: AccessSettings = {
  anonymous: "none",
  private: `corp.example/shared,${tenants.payments},${tenants.games}`,
  tenants,
};

/** Modules of each tenant: one that lies in a text of its own, one under a glob. */
const modules = { payments: ["pay.example/a/lib", "corp.example/pay-web"], games: ["games.example/b"] } as const;
type TenantName = keyof typeof modules;

/** Why a row is not asked about a module here: it says nothing of any, or only what the asker manages; or see below. */
type Silence = "no module" | "what one manages" | "see the page";

/** How each row of the tables can be asked about a module, or why it says nothing of one. A row without an entry fails. */
const questions: Readonly<Record<string, ((module: string) => readonly string[]) | Silence>> = {
  list: (module) => [`/${module}/@v/list`],
  latest: (module) => [`/${module}/@latest`],
  info: (module) => [`/${module}/@v/v1.0.0.info`, `/${module}/@v/main.info`, `/${module}/@v/v9.9.9.info`],
  mod: (module) => [`/${module}/@v/v1.0.0.mod`],
  zip: (module) => [`/${module}/@v/v1.0.0.zip`],
  sumdb: (module) => [`/sumdb/sum.golang.org/lookup/${module}@v1.0.0`, `/sumdb/own.example/lookup/${module}@v1.0.0`],
  live: "no module",
  ready: "no module",
  metrics: "no module",
  gosumdb: "no module",
  page: "see the page",
  tokens: "what one manages",
  "token-create": "what one manages",
  "token-revoke": "what one manages",
  "token-keys": "what one manages",
  "token-issuers": "no module",
  "token-exchange": "no module",
  credentials: "what one manages",
  "credential-set": "what one manages",
  "credential-remove": "what one manages",
  blocks: "what one manages",
  exceptions: "what one manages",
  explain: (module) => [`/-/api/explain/${module}`, `/-/api/explain/${module}@v1.0.0`],
  webhook: "no module",
  channels: "no module",
  "channel-rollback": "no module",
  "channel-restore": "no module",
  tenants: "what one manages",
  audit: "what one manages",
};

/** Of the functions that answer about a module. */
const behind = { known: settings, rows: [...siteRows, ...explainRoutes({ explain: async () => ({}) as never })] };

const roles: readonly Role[] = ["viewer", "publisher", "operator", "admin"];
const tokens = new Map<string, string>();
let context: ReturnType<typeof edgeContext>;

before(async () => {
  const store = new MemoryTokenStore();
  for (const role of roles) {
    for (const patterns of ["@payments", "@games", "corp.example/shared", "*"]) {
      const request = { subject: "s", role, modules: patterns, days: 1 };
      const { token } = await createToken(store, request, now, { tenants: Object.keys(tenants) });
      tokens.set(`${role} ${patterns}`, token);
    }
  }
  context = edgeContext(settings, store.state, now);
});

test("every row of the protocol and of the site says how it is asked about a module", () => {
  const root = join(import.meta.dirname, "../..");
  const texts = globSync("lambda/**/*.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));
  const rows = texts.flatMap((text) => [...text.matchAll(/name: "([\w-]+)",\s+address: ([^\n]+),/g)]);
  const names = new Set([...Object.keys(routes), ...rows.map(([, name = ""]) => name)]);
  assert.deepEqual([...names].toSorted(), Object.keys(questions).toSorted());
  assert.ok(siteRows.every(({ name }) => names.has(name)));
  for (const [, name = "", address = ""] of rows) {
    if (address.includes("<module>")) assert.equal(typeof questions[name], "function", `${name} names a module`);
  }
});

test("tenant × route × role: its own are let in, whoever has no pattern for it is refused, in the same words", async () => {
  const refusals = new Set<string>();
  let checked = 0;
  for (const [name, question] of Object.entries(questions)) {
    if (typeof question === "string") continue;
    for (const [tenant, names] of Object.entries(modules) as [TenantName, readonly string[]][]) {
      const paths: readonly string[] = names.flatMap((module) => question(module));
      for (const path of paths) {
        for (const role of roles) {
          for (const patterns of ["@payments", "@games", "corp.example/shared", "*"]) {
            const credentials = basic(tokens.get(`${role} ${patterns}`) ?? "");
            const judgement = await judge({ method: "GET", path, credentials }, context, behind);
            const may = patterns === "*" || patterns === `@${tenant}`;
            assert.equal(judgement.kind, may ? "forward" : "refusal", `${name} ${path} ${role} ${patterns}`);
            checked++;
            if (judgement.kind !== "refusal") continue;
            assert.equal(judgement.status, 403);
            refusals.add(judgement.body.replace(/token [0-9a-z]{16}/, "token ID"));
          }
        }
      }
    }
  }
  assert.ok(checked >= 9 * 3 * 16, `${checked}`);
  assert.deepEqual(
    [...refusals],
    ["token ID does not cover this private module: ask whoever issued it for one that does\n"],
    "no word tells one module from another, stored or not",
  );
});

function holder(patterns: string, role: Role = "viewer"): Identity {
  return { id: "a", role, subject: "s", modules: patterns };
}

const owned = Object.values(modules).flat();

test("the page and its search name, count and hint at nothing of another tenant's", async () => {
  const all = [...owned, "corp.example/shared/x", "golang.org/x/mod"];
  const catalogue = {
    modules: async (from: string) => all.filter((path) => path >= from).map((module) => ({ module, versions: 3 })),
    versions: async () => ["v1.0.0"],
  };
  const handler = page({ catalogue, access: settings, address: () => "https://x.example", gosumdb: undefined });
  for (const query of ["", "q=example", "q=pay", "q=games", "q=b"]) {
    for (const [patterns, tenant] of [
      ["@payments", "payments"],
      ["@games", "games"],
      ["corp.example/shared", ""],
    ] as const) {
      const request = { method: "GET", routed: { route: "site", path: "/" }, headers: {}, query } as const;
      const result = await handler({ ...request, identity: holder(patterns) });
      const text = Buffer.from(frame(result).body as Uint8Array)
        .toString()
        .replaceAll("<wbr>", "");
      for (const other of (Object.keys(modules) as TenantName[]).filter((name) => name !== tenant)) {
        for (const word of [...modules[other], ...tenants[other].split(","), `@${other}`]) {
          assert.ok(!text.includes(word), `${patterns} ${query}: ${word}`);
        }
      }
      const readable = 2 + (tenant === "" ? 0 : modules[tenant].length) - (patterns === "corp.example/shared" ? 0 : 1);
      assert.ok(text.includes(`<strong>${readable} module`), `${patterns}: counts what is its own`);
    }
  }
});

test("a tile with records of a tenant is for whoever may read them all, and its refusal names none", async () => {
  const line = (module: string) => `${module} v1.0.0 h1:${"A".repeat(43)}=\n`;
  const databases = [{ name: "own.example", isOurs: true }];
  const tile = async (records: readonly string[], identity: Identity) => {
    const body = Buffer.from(records.map(line).join("\n"));
    const parts = { fill: { fill: async () => ({ body }) }, isPrivate: () => true, databases, access: settings };
    const path = `/sumdb/own.example/tile/8/data/000.p/${records.length}`;
    return await serveSumdb(parts, parsePath(path), identity).then(
      () => "served",
      (error: Error) => error.message,
    );
  };
  for (const role of roles) {
    assert.equal(await tile(modules.payments, holder("@payments", role)), "served");
    assert.equal(await tile(owned, holder("@payments,@games", role)), "served");
    for (const identity of [holder("@payments", role), holder("@games", role), holder("corp.example/shared", role)]) {
      const said = await tile(owned, identity);
      assert.match(said, /whoever asks may not see/);
      for (const module of owned) assert.ok(!said.includes(module));
    }
  }
});
