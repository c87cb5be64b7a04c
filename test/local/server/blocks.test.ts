import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { SqliteRulingStore } from "../../../lambda/local/data/sqlite-ruling-store.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { startProduct } from "../../support/product.ts";

// Who may block what over HTTP and at a terminal, and see that it is blocked. Five seconds.

const tenants = {
  pay: { modules: "corp.example/pay", admins: ["paula"] },
  hr: { modules: "corp.example/hr", admins: ["henry"] },
};
const subjects = {
  admin: ["ada", "admin", "*"],
  paula: ["paula", "viewer", "@pay"],
  henry: ["henry", "viewer", "@hr"],
  reader: ["rob", "viewer", "@pay"],
  operator: ["otto", "operator", "@hr"],
} as const;

type Who = keyof typeof subjects;

async function world(t: TestContext) {
  const data = dataFolder(t);
  const store = new SqliteTokenStore(data);
  const now = Math.floor(Date.now() / 1000);
  const tokens = new Map<string, string>();
  for (const [who, [subject, role, modules]] of Object.entries(subjects)) {
    const { token } = await createToken(store, { subject, role, modules, days: 1 }, now, { tenants: ["pay", "hr"] });
    tokens.set(who, token);
  }
  store.close();
  const config = { access: { anonymous: "none" }, private: "corp.example", tenants, sumdb: { name: "off" } };
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  const ask = async (method: string, path: string, who?: Who, body?: unknown) => {
    const answer = await fetch(product.url + path, {
      method,
      headers: {
        ...(who && { authorization: `Bearer ${tokens.get(who)}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const listed = async (who: Who, query = "") => {
    const { status, text } = await ask("GET", `/-/api/blocks${query}`, who);
    assert.equal(status, 200, text);
    return JSON.parse(text) as { items: Record<string, string>[]; next?: string };
  };
  return { data, product, ask, listed, tokens };
}

const names = (items: readonly Record<string, string>[]) =>
  items.map(({ module, version }) => (version === undefined ? module : `${module}@${version}`)).sort();

test("an operator blocks what they may read, a tenant's admin its modules, and nobody else anything", async (t) => {
  const { ask } = await world(t);
  const rows: readonly (readonly [who: Who | undefined, module: string, status: number])[] = [
    [undefined, "a.example/x", 401],
    ["reader", "a.example/x", 403],
    ["reader", "corp.example/pay/m", 403],
    ["paula", "a.example/x", 403],
    ["paula", "corp.example/hr/m", 403],
    ["paula", "corp.example/pay/m", 200],
    ["henry", "corp.example/pay/m", 403],
    ["operator", "a.example/x", 200],
    ["operator", "corp.example/hr/m", 200],
    // Whoever may not read a private module may not even learn that it is there.
    ["operator", "corp.example/pay/m", 403],
    ["admin", "corp.example/pay/m", 200],
    ["admin", "a.example/x", 200],
  ];
  for (const [who, module, status] of rows) {
    const address = `/-/api/blocks/${module}@v1.0.0`;
    const put = await ask("PUT", address, who, { reason: "why" });
    assert.equal(put.status, status, `${who} ${module} ${put.text}`);
    const removed = await ask("DELETE", address, who);
    assert.equal(removed.status, status, `${who} ${module} ${removed.text}`);
  }
});

test("each sees the blocks that they may rule about alone, by pages that name no other", async (t) => {
  const { ask, listed } = await world(t);
  for (const name of ["a.example/x", "a.example/!y@v1.0.0", "corp.example/pay/m", "corp.example/hr/m@v1.1.0"])
    assert.equal(
      (await ask("PUT", `/-/api/blocks/${name}`, "admin", { reason: "why", until: "2040-02-29" })).status,
      200,
    );
  const all = ["a.example/Y@v1.0.0", "a.example/x", "corp.example/hr/m@v1.1.0", "corp.example/pay/m"];
  const seen: Record<string, readonly string[]> = {
    admin: all,
    operator: all.slice(0, 3),
    paula: all.slice(3),
    henry: all.slice(2, 3),
    reader: [],
  };
  for (const who of Object.keys(subjects) as Who[]) {
    assert.deepEqual(names((await listed(who)).items), seen[who], who);
    const paged: Record<string, string>[] = [];
    let after = "";
    do {
      const page = await listed(who, `?limit=1${after}`);
      assert.ok(page.items.length <= 1);
      paged.push(...page.items);
      after = page.next === undefined ? "" : `&after=${page.next}`;
    } while (after !== "");
    assert.deepEqual(names(paged), seen[who], who);
  }
  const [{ at, ...first } = {}] = (await listed("paula")).items;
  assert.deepEqual(first, { module: "corp.example/pay/m", reason: "why", until: "2040-02-29", by: "ada" });
  assert.match(at ?? "", /^\d{4}-/);
  assert.equal((await ask("GET", "/-/api/blocks?after=%00", "admin")).status, 400);
  assert.equal((await ask("GET", "/-/api/blocks?after=eA", "admin")).status, 400);
});

test("what is no block is refused in a line, and changes nothing", async (t) => {
  const { ask, listed } = await world(t);
  const bad: readonly (readonly [address: string, body: unknown])[] = [
    ["a.example/x", { reason: "" }],
    ["a.example/x", { reason: "two\nlines" }],
    ["a.example/x", { reason: "x".repeat(101) }],
    ["a.example/x", {}],
    ["a.example/x", { reason: "why", until: "2020-01-01" }],
    ["a.example/x", { reason: "why", until: "2040-02-30" }],
    ["a.example/x", { reason: "why", until: "9999-01-01" }],
    ["a.example/x", { reason: "why", more: 1 }],
    ["a.example/x@v1", { reason: "why" }],
    ["a.example/x/v2@v1.0.0", { reason: "why" }],
    ["x", { reason: "why" }],
  ];
  for (const [address, body] of bad) {
    const { status, text } = await ask("PUT", `/-/api/blocks/${address}`, "admin", body);
    assert.equal(status, 400, `${address} ${JSON.stringify(body)} ${text}`);
  }
  assert.equal((await ask("DELETE", "/-/api/blocks/a.example/x", "admin")).status, 404);
  assert.deepEqual((await listed("admin")).items, []);
});

test("a block over HTTP is acted by and in the audit log, and the terminal's verbs do the same", async (t) => {
  const { ask, listed, data, product, tokens } = await world(t);
  const list = "/a.example/x/@v/list";
  await ask("PUT", "/-/api/blocks/a.example/x", "operator", { reason: "a stolen key" });
  await eventually(async () => (await ask("GET", list, "reader")).status === 403);
  assert.equal(
    (await ask("GET", list, "reader")).text,
    "blocked: a.example/x: a stolen key\nmodfront explain says more\n",
  );
  await ask("DELETE", "/-/api/blocks/a.example/x", "operator");
  await eventually(async () => (await ask("GET", list, "reader")).status !== 403);
  const { items } = JSON.parse((await ask("GET", "/-/api/audit", "admin")).text) as { items: Record<string, string>[] };
  const told = items.filter(({ action }) => action?.startsWith("block."));
  assert.deepEqual(
    told.map(({ action, decision, subject, module, rule }) => [action, decision, subject, module, rule]),
    ["block.set", "block.remove"].flatMap((action) =>
      ["intended", "done"].map((decision) => [action, decision, "otto", "a.example/x", "operator"]),
    ),
  );
  const places = [
    { flags: ["--data", data], environment: {} },
    { flags: ["--url", product.url], environment: { MODFRONT_TOKEN: tokens.get("admin") ?? "" } },
  ];
  for (const { flags, environment } of places) {
    const run = (...args: readonly string[]) => runCli([...args, ...flags], { environment });
    const until = ["--until", "2040-01-01"];
    const made = await run("block", "a.example/x@v1.0.0", "--reason", "why", ...until);
    assert.deepEqual([made.code, made.stdout], [0, ""], made.stderr);
    const { stdout } = await run("blocks", "--json");
    const { at: _, by: __, ...shown } = JSON.parse(stdout);
    assert.deepEqual(shown, { module: "a.example/x", version: "v1.0.0", reason: "why", until: "2040-01-01" });
    assert.equal((await listed("admin")).items.length, 1);
    assert.equal((await run("unblock", "a.example/x@v1.0.0")).code, 0);
    assert.equal((await run("unblock", "a.example/x@v1.0.0")).code, 1);
    assert.equal((await run("block", "a.example/x@v1", "--reason", "why")).code, 2);
    assert.equal((await run("block", "a.example/x")).code, 2);
    assert.deepEqual((await run("blocks", "--json")).stdout, "");
  }
});

test("where what is blocked cannot be read nothing is served", async (t) => {
  const { ask, data } = await world(t);
  const store = new SqliteRulingStore(data);
  await store.set({ kind: "block", module: "a.example/x", version: "", reason: "r", by: "b", at: 1, request: "" });
  store.close();
  await eventually(async () => (await ask("GET", "/a.example/x/@v/list", "reader")).status === 403);
  const { renameSync, writeFileSync } = await import("node:fs");
  writeFileSync(`${data}/other`, "no database at all".repeat(100));
  renameSync(`${data}/other`, `${data}/rulings.sqlite`);
  await eventually(async () => (await ask("GET", "/b.example/x/@v/list", "reader")).status === 503);
});
