import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createToken } from "../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine, skipWithoutGo as skip } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { moduleFixture, zipOf } from "../support/module-fixture.ts";
import { rawZip } from "../support/raw-zip.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// What is published over HTTP, on one machine: by whom, once, and what go makes of it.

const tenants = { pay: { modules: "corp.example/pay", admins: ["paula"] }, hr: { modules: "corp.example/hr" } };

/** A modfront with private modules for which there is no upstream. */
async function start(t: TestContext, config: object = {}) {
  const data = dataFolder(t);
  const file = join(data, "modfront.config.json");
  writeFileSync(file, JSON.stringify({ private: ["corp.example"], tenants, ...config }));
  const run = () =>
    ModfrontProcess.startIn(
      { GOPROXY: "off" },
      "--data",
      data,
      "--config",
      file,
      "--upstream",
      "off",
      "--sumdb",
      "off",
    );
  const modfront = await run();
  t.after(() => modfront[Symbol.asyncDispose]());
  const token = async (role: string, modules: string, subject = "ci") => {
    const store = new SqliteTokenStore(data);
    const request = { subject, role, modules, days: 1 };
    const made = await createToken(store, request, Math.floor(Date.now() / 1000), { tenants: Object.keys(tenants) });
    store.close();
    return made.token;
  };
  const ask = async (method: string, path: string, by: string | undefined, body?: Uint8Array | string) => {
    const authorization = by === undefined ? {} : { authorization: `Bearer ${by}` };
    const type = typeof body === "string" ? { "content-type": "application/json" } : {};
    const headers = { ...authorization, ...type, accept: "application/json" };
    const response = await fetch(modfront.url + path, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    return { status: response.status, text, said: /^\{/.test(text) ? JSON.parse(text) : {} };
  };
  const publish = (path: string, version: string, by: string | undefined, zip: Uint8Array, query = "") =>
    ask("PUT", `/-/publish/${path}/@v/${version}.zip${query}`, by, zip);
  const list = async (path: string, by?: string) => (await ask("GET", `/${path}/@v/list`, by)).text;
  return { data, modfront, run, token, ask, publish, list };
}

const path = "corp.example/pay/lib";

/** A version whose code says which it is, and what more its go.mod says. */
function version(number: string, more = ""): Buffer {
  const mod = Buffer.from(`module ${path}\n\ngo 1.21\n${more}`);
  const content = `package lib\n\nconst Version = "${number}"\n`;
  return zipOf({ path, version: number, mod }, [{ name: `${path}@${number}/lib.go`, content }]);
}

test("go gets, builds, upgrades and verifies what is published; what is yanked or retracted it does not choose", {
  skip,
}, async (t) => {
  const open = { tenants: {}, access: { anonymous: "all" } };
  const { modfront, token, ask, publish, list } = await start(t, open);
  const by = await token("publisher", "corp.example/pay");
  const gosumdb = (await ask("GET", "/-/gosumdb", undefined)).text.trim();
  using machine = new GoMachine(modfront.url, { GOSUMDB: gosumdb });
  machine.write("go.mod", "module example.com/main\n\ngo 1.21\n");
  machine.write("main.go", `package main\n\nimport "${path}"\n\nfunc main() { println(lib.Version) }\n`);
  const built = async (wanted: string) => {
    const got = await machine.go("get", `${path}@${wanted}`);
    if (got.code !== 0) return got.stderr;
    const run = await machine.go("run", ".");
    return run.stderr.trim();
  };

  const first = await publish(path, "v1.0.0", by, version("v1.0.0"));
  assert.deepEqual([first.status, first.said.path, first.said.version], [201, path, "v1.0.0"]);
  assert.equal(await built("latest"), "v1.0.0");
  assert.match(
    readFileSync(join(machine.folder, "go.sum"), "utf8"),
    new RegExp(`^${path} v1.0.0 ${first.said.sum.replace(/[+/]/g, "\\$&")}$`, "m"),
  );
  // The list was asked for a moment ago, and is kept ready.
  assert.equal(await list(path), "v1.0.0\n");
  assert.equal((await publish(path, "v1.1.0", by, version("v1.1.0"))).status, 201);
  assert.equal(await list(path), "v1.0.0\nv1.1.0\n");
  assert.equal(await built("latest"), "v1.1.0");

  const yanks = `/-/api/yanks/${path}@v1.1.0`;
  assert.equal((await ask("PUT", yanks, by, JSON.stringify({ reason: "loses orders" }))).status, 200);
  assert.equal(await list(path), "v1.0.0\n");
  assert.equal(await built("latest"), "v1.0.0");
  assert.equal(await built("v1.1.0"), "v1.1.0", "who asks by number still gets it");
  assert.equal((await ask("DELETE", yanks, by)).status, 200);
  assert.equal(await built("latest"), "v1.1.0");

  assert.equal((await publish(path, "v1.2.0", by, version("v1.2.0", "retract v1.2.0\n"))).status, 201);
  assert.equal(await built("latest"), "v1.1.0");
  for (const each of ["v1.0.0", "v1.1.0", "v1.2.0"])
    assert.equal((await ask("PUT", `/-/api/yanks/${path}@${each}`, by, JSON.stringify({ reason: "x" }))).status, 200);
  assert.match(await built("latest"), /403 Forbidden(?:.|\n)*yanked/);
  assert.equal((await machine.go("mod", "verify")).code, 0);
});

test("who may not publish is refused, and nothing is kept of it", { skip: false }, async (t) => {
  const { token, ask, publish, list } = await start(t);
  const zip = version("v1.0.0");
  const rows: readonly (readonly [by: string | undefined, status: number])[] = [
    [undefined, 401],
    [await token("viewer", "@pay"), 403],
    [await token("publisher", "@hr"), 403],
    [await token("publisher", "corp.example/pay/other"), 403],
    [await token("admin", ""), 403],
  ];
  for (const [by, status] of rows) assert.equal((await publish(path, "v1.0.0", by, zip)).status, status);
  const by = await token("publisher", "@pay");
  assert.equal((await ask("PUT", `/-/api/yanks/${path}@v1.0.0`, by, JSON.stringify({ reason: "x" }))).status, 404);
  assert.match((await publish("example.com/open", "v1.0.0", by, zip)).text, /422.*is not private/);
  assert.doesNotMatch(await list(path, by), /^v1/m);
});

test("a version is what came first: the same again is said to be there, other bytes are refused with both hashes", async (t) => {
  const { token, publish } = await start(t);
  const by = await token("publisher", "@pay");
  const first = await publish(path, "v1.0.0", by, version("v1.0.0"));
  const again = await publish(path, "v1.0.0", by, version("v1.0.0"));
  assert.deepEqual([again.status, again.said], [200, first.said]);
  const other = await publish(path, "v1.0.0", by, version("v1.0.0", "// other\n"));
  assert.equal(other.status, 409);
  assert.deepEqual(other.said.stored, { sum: first.said.sum, goModSum: first.said.goModSum });
  assert.notEqual(other.said.sum, first.said.sum);
});

test("of many who publish different bytes at the same moment, by two processes, one is first", async (t) => {
  const { token, run, publish, modfront } = await start(t);
  await using other = await run();
  const by = await token("publisher", "@pay");
  for (let round = 0; round < 5; round++) {
    const number = `v1.${round}.0`;
    const put = (url: string, i: number) =>
      fetch(`${url}/-/publish/${path}/@v/${number}.zip`, {
        method: "PUT",
        headers: { authorization: `Bearer ${by}` },
        body: version(number, `// ${i % 3}\n`),
      });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => put(i % 2 ? modfront.url : other.url, i)));
    const statuses = answers.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [200, 200, 200, 201, ...Array(8).fill(409)], number);
    const sums = new Set(
      await Promise.all(
        answers.filter(({ ok }) => ok).map(async (each) => ((await each.json()) as { sum: string }).sum),
      ),
    );
    assert.equal(sums.size, 1);
  }
  assert.equal((await publish(path, "v1.0.0", by, version("v1.0.0", "// 9\n"))).status, 409);
});

test("what is no version of the module is refused in one line, and what is there stays", async (t) => {
  const { token, publish, list } = await start(t);
  const by = await token("publisher", "corp.example");
  const entry = (name: string, content = "x") => ({ name: `${path}@v1.0.0/${name}`, content });
  const mod = { name: `${path}@v1.0.0/go.mod`, content: `module ${path}\n` };
  const zips: readonly (readonly [what: RegExp, zip: Uint8Array])[] = [
    [/not a valid zip/, Buffer.from("this is no zip")],
    [/no go\.mod in the module's root/, rawZip([entry("a.go")])],
    [/go\.mod is that of "corp.example\/other"/, rawZip([{ ...mod, content: "module corp.example/other\n" }])],
    [/go\.mod is that of no module/, rawZip([{ ...mod, content: "// nothing\n" }])],
    [/"elsewhere\/a\.go": not under/, rawZip([mod, { name: "elsewhere/a.go", content: "x" }])],
    [/"a": not under.* \(and 2 more\)$/, rawZip([mod, ...["a", "b", "c"].map((name) => ({ name, content: "x" }))])],
    [/case/, rawZip([mod, entry("a.go"), entry("A.go")])],
    [/\.\./, rawZip([mod, entry("../a.go")])],
    [/go\.mod/, rawZip([mod, entry("GO.MOD")])],
    [/more than one entry/, rawZip([mod, entry("a.go"), entry("a.go")])],
    [/checksum|CRC/i, rawZip([mod, { ...entry("a.go"), crc32: 1 }])],
  ];
  for (const [what, zip] of zips) {
    const { status, said } = await publish(path, "v1.0.0", by, zip);
    assert.equal(status, 422, String(what));
    assert.match(said.detail, what);
    assert.doesNotMatch(said.detail, /\n/);
  }
  const numbers: readonly (readonly [number: string, what: RegExp])[] = [
    ["v1.0", /canonical/],
    ["1.0.0", /canonical/],
    ["v1.0.0+meta", /canonical/],
    ["v2.0.0", /canonical/],
    ["v2.0.0+incompatible", /no such version/],
    ["v0.0.0-20240102030405-abcdefabcdef", /pseudo-version/],
  ];
  for (const [number, what] of numbers) {
    const { status, said } = await publish(path, number, by, moduleFixture(path, number).zip);
    assert.deepEqual([number, status], [number, 422]);
    assert.match(said.detail, what, number);
  }
  assert.doesNotMatch(await list(path, by), /^v/m);
  assert.equal((await publish(path, "v1.0.0", by, version("v1.0.0"))).status, 201);
});

test("versions follow each other as the configuration wants it", async (t) => {
  const rules = [{ modules: "corp.example", sequence: "next", prerelease: true, requireTag: true, api: "enforce" }];
  const { token, publish } = await start(t, { publishing: { rules } });
  const by = await token("publisher", "corp.example");
  const rows: readonly (readonly [number: string, query: string, status: number, what?: RegExp])[] = [
    ["v0.9.0", "", 422, /wants a tag/],
    ["v0.9.0", "?tag=v0.9.1", 422, /is called v0.9.0/],
    ["v0.9.0", "?tag=lib/v0.9.0", 201],
    ["v0.9.2", "?tag=v0.9.2", 422, /after v0.9.0 comes v0.9.1, v0.10.0, v1.0.0/],
    ["v0.8.0", "?tag=v0.8.0", 422, /not newer than v0.9.0/],
    ["v1.0.0-rc.1", "?tag=v1.0.0-rc.1", 201],
    ["v1.0.1", "?tag=v1.0.1", 422, /after v1.0.0-rc.1 comes v1.0.0/],
    ["v1.0.0", "?tag=v1.0.0", 201],
    ["v1.1.0", "?tag=v1.1.0", 422, /wants a comparison of the API with v1.0.0/],
    ["v1.1.0", "?tag=v1.1.0&api=compatible&base=v0.9.0", 422, /compared with v0.9.0/],
    ["v1.1.0", "?tag=v1.1.0&api=incompatible&base=v1.0.0", 422, /a change that does is a new major version/],
    ["v1.1.0", "?tag=v1.1.0&api=compatible&base=v1.0.0", 201],
    ["v1.1.0", "?tag=v1.1.0&api=compatible&base=v1.0.0", 200],
    ["v1.2.0", "?tag=v1.2.0&api=perhaps", 400, /^api: /],
  ];
  for (const [number, query, status, what] of rows) {
    const got = await publish(path, number, by, version(number), query);
    assert.deepEqual([number, query, got.status], [number, query, status], got.text);
    if (what !== undefined) assert.match(got.said.detail, what);
  }
});

test("what is published is in the audit log before it is there", async (t) => {
  const { token, ask, publish } = await start(t);
  const [by, admin] = [await token("publisher", "@pay"), await token("admin", "")];
  await publish(path, "v1.0.0", by, version("v1.0.0"));
  await ask("PUT", `/-/api/yanks/${path}@v1.0.0`, by, JSON.stringify({ reason: "loses orders" }));
  const { said } = await ask("GET", "/-/api/audit", admin);
  const events = said.items
    .filter(({ module }: { module?: string }) => module === path)
    .map(({ action, version, decision, target }: Record<string, string>) => [action, version, decision, target]);
  for (const [action, target] of [
    ["module.publish", undefined],
    ["module.yank", "loses orders"],
  ] as const)
    for (const decision of ["intended", "done"])
      assert.ok(
        events.some(
          (event: unknown[]) =>
            event[0] === action && event[2] === decision && (target === undefined || event[3] === target),
        ),
        `${action} ${decision} in ${JSON.stringify(events)}`,
      );
});

test("of a publication and a fetch of the same version one is first: the same bytes are the version, others are refused", async (t) => {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  const upstreams = [{ patterns: "corp.example", chain: upstream.url }];
  const { token, publish, ask } = await start(t, { upstreams });
  const by = await token("publisher", "@pay");
  const mod = Buffer.from(`module ${path}\n\ngo 1.21\n`);
  for (let round = 0; round < 6; round++) {
    const number = `v1.${round}.0`;
    const isSame = round % 2 === 0;
    const base = `/${path}/@v/${number}`;
    const fetched = version(number, isSame ? "" : "// other\n");
    upstream.on(`${base}.info`, { body: JSON.stringify({ Version: number, Time: "2026-01-02T03:04:05Z" }) });
    upstream.on(`${base}.mod`, { body: isSame ? mod : Buffer.concat([mod, Buffer.from("// other\n")]) });
    upstream.on(`${base}.zip`, { body: fetched });
    const [put, got] = await Promise.all([publish(path, number, by, version(number)), ask("GET", `${base}.mod`, by)]);
    assert.equal(got.status, 200, got.text);
    const isOurs = !got.text.includes("other");
    assert.ok(
      isSame ? [200, 201].includes(put.status) : put.status === (isOurs ? 201 : 409),
      `${put.status} ${got.text}`,
    );
    // What came first stays, whoever asks again for what.
    assert.equal((await publish(path, number, by, version(number))).status, isOurs ? 200 : 409);
    assert.equal((await ask("GET", `${base}.mod`, by)).text, got.text);
  }
});

test("what was asked for before it was published is there at once afterwards", async (t) => {
  const { token, publish, ask, list } = await start(t);
  const by = await token("publisher", "@pay");
  const rows = [`/${path}/@v/v1.0.0.info`, `/${path}/@v/v1.0.0.zip`, `/${path}/@v/list`, `/${path}/@latest`];
  for (const row of rows) assert.notEqual((await ask("GET", row, by)).status, 200, row);
  assert.equal((await publish(path, "v1.0.0", by, version("v1.0.0"))).status, 201);
  for (const row of rows) assert.equal((await ask("GET", row, by)).status, 200, row);
  assert.equal(await list(path, by), "v1.0.0\n");
  assert.notEqual((await ask("GET", `/${path}/@v/main.info`, by)).status, 200);
});

test("a publication that is refused is in the audit log as failed at once", async (t) => {
  const { token, ask, publish } = await start(t);
  const [by, admin] = [await token("publisher", "@pay"), await token("admin", "")];
  await publish(path, "v1.0.0", by, version("v1.0.0"));
  assert.equal((await publish(path, "v1.0.0", by, version("v1.0.0", "// other\n"))).status, 409);
  assert.equal((await publish(path, "v1.1.0", by, Buffer.from("no zip"))).status, 422);
  const { said } = await ask("GET", "/-/api/audit", admin);
  const failed = said.items.filter(({ decision }: { decision: string }) => decision === "failed");
  assert.deepEqual(failed.map((event: { version: string }) => event.version).toSorted(), ["v1.0.0", "v1.1.0"]);
});

test("who is revoked while the body comes publishes nothing", async (t) => {
  const { modfront, token, ask } = await start(t);
  const [by, admin] = [await token("publisher", "@pay"), await token("admin", "")];
  const zip = version("v1.0.0");
  const rest = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async pull(controller) {
      controller.enqueue(zip.subarray(0, 100));
      await rest.promise;
      controller.enqueue(zip.subarray(100));
      controller.close();
    },
  });
  const headers = { authorization: `Bearer ${by}` };
  const sent = fetch(`${modfront.url}/-/publish/${path}/@v/v1.0.0.zip`, {
    ...{ method: "PUT", headers, body, duplex: "half" },
  } as RequestInit);
  const { said } = await ask("GET", "/-/api/tokens", admin);
  const { id } = said.items.find(({ role }: { role: string }) => role === "publisher");
  assert.equal((await ask("DELETE", `/-/api/tokens/${id}`, admin)).status, 200);
  await eventually(async () => (await ask("GET", `/${path}/@v/list`, by)).status === 401);
  rest.resolve();
  assert.equal((await sent).status, 401);
  assert.doesNotMatch((await ask("GET", `/${path}/@v/list`, await token("viewer", "@pay"))).text, /v1/);
});
