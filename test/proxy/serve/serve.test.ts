import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessSettings } from "../../../lambda/edge/access-settings.ts";
import { anonymous, type Identity } from "../../../lambda/edge/token.ts";
import { parsePath } from "../../../lambda/proxy/serve/received-path.ts";
import { type Served, serveFile, serveIndex, serveSumdb } from "../../../lambda/proxy/serve/serve.ts";
import type { FillAnswer, FillRequest } from "../../../lambda/proxy/store/fill-plane.ts";
import { policyOf } from "../../../lambda/proxy/store/layout.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { countedCalls } from "../../support/counted-calls.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";
import { SetClock } from "../../support/set-clock.ts";

// The serve plane over an index and a fill plane that only notes what it is asked for.

const path = "example.com/m";
const filled: FillAnswer = { body: Buffer.from("filled") };
/** A data tile of our log. */
const records =
  "example.com/m v1.0.0 h1:a=\nexample.com/m v1.0.0/go.mod h1:b=\n\ncorp.example/a/b v1.0.0 h1:c=\ncorp.example/a/b v1.0.0/go.mod h1:d=\n\n";
const holder = (modules: string): Identity => ({ id: "t", role: "viewer", subject: "", modules });

function world() {
  const calls: unknown[] = [];
  const index = new MemoryVersionIndex();
  const clock = new SetClock();
  const parts = {
    index: countedCalls("index", index, calls as string[]),
    clock,
    isPrivate: (module: string) => module.startsWith("corp.example/"),
    databases: [
      { name: "sum.example.com", isOurs: false },
      { name: "ours.example", isOurs: true },
    ],
    access: { anonymous: "public", private: "corp.example" } as AccessSettings,
    fill: {
      fill: async (request: FillRequest): Promise<FillAnswer> => {
        calls.push(request);
        return request.kind === "tile" && request.path.includes("data") ? { body: Buffer.from(records) } : filled;
      },
    },
  };
  return { parts, index, clock, calls };
}

test("a fresh list or latest is one read of the index and nothing else", async () => {
  const list = { policy: "list", module: path } as const;
  const latest = { policy: "latest", module: path } as const;
  const pseudo = "v0.0.0-20240102030405-0123456789ab";
  for (const [target, name, text, answer] of [
    ["/example.com/m/@v/list", "list", "v1.0.0\nv1.1.0\n", { ...list, body: "v1.0.0\nv1.1.0\n" }],
    ["/example.com/m/@v/list", "list", `v1.0.0\n${pseudo}\n`, { ...list, body: "v1.0.0\n" }],
    ["/example.com/m/@v/list", "list", "", { ...list, body: "" }],
    ["/example.com/m/@latest", "latest", '{"Version":"v1.0.0"}', { ...latest, body: '{"Version":"v1.0.0"}' }],
  ] as const) {
    const { parts, index, clock, calls } = world();
    const freshUntil = clock.now() + 1;
    await index.remember(path, name, { text, freshUntil });
    const { body, ...served } = answer;
    const expected: Served = { ...served, content: { body: new TextEncoder().encode(body), freshUntil } };
    assert.deepEqual(await serveIndex(parts, parsePath(target)), expected, target);
    assert.deepEqual(calls, ["index.module"]);
  }
});

test("a list or latest that is stale, not remembered, or remembered under the other's name is filled", async () => {
  for (const kind of ["list", "latest"] as const) {
    const target = kind === "list" ? "/example.com/m/@v/list" : "/example.com/m/@latest";
    for (const remembered of [undefined, kind, kind === "list" ? "latest" : "list"] as const) {
      const { parts, index, clock, calls } = world();
      const freshUntil = clock.now() + (remembered === kind ? 0 : 60_000);
      if (remembered !== undefined) await index.remember(path, remembered, { text: "v1.0.0\n", freshUntil });
      assert.deepEqual(await serveIndex(parts, parsePath(target)), { policy: kind, module: path, content: filled });
      assert.deepEqual(calls, ["index.module", { kind, path }]);
    }
  }
});

test("files and queries go to the fill plane without a look into the index", async () => {
  const module = { path: "github.com/Azure/x", version: "v1.0.0" };
  for (const [target, request] of [
    ["/github.com/!azure/x/@v/v1.0.0.info", { kind: "info", module }],
    ["/github.com/!azure/x/@v/v1.0.0.mod", { kind: "mod", module }],
    ["/github.com/!azure/x/@v/v1.0.0.zip", { kind: "zip", module }],
    ["/github.com/!azure/x/@v/main.info", { kind: "query", path: module.path, query: "main" }],
  ] as const) {
    const { parts, calls } = world();
    const expected: Served = { policy: request.kind, module: module.path, content: filled };
    assert.deepEqual(await serveFile(parts, parsePath(target)), expected, target);
    assert.deepEqual(calls, [request]);
  }
});

test("each route answers only what is its own, and asks nobody for the rest", async () => {
  for (const [serve, target, code] of [
    [serveFile, "/example.com/m/@v/list", "not-found"],
    [serveFile, "/example.com/m/@latest", "not-found"],
    [serveFile, "/example.com/m/@v/main.zip", "not-found"],
    [serveFile, "/example.com/M/@v/v1.0.0.zip", "bad-request"],
    [serveIndex, "/example.com/m/@v/v1.0.0.info", "not-found"],
    [serveIndex, "/example.com/m/@v/main.info", "not-found"],
    [serveIndex, "/example.com/../m/@v/list", "bad-request"],
    [serveSumdb, "/sumdb/sum.golang.org/latest", "not-found"],
    [serveSumdb, "/sumdb/sum.example.com/lookup/example.com/m", "bad-request"],
    [serveSumdb, "/example.com/m/@latest", "not-found"],
  ] as const) {
    const { parts, calls } = world();
    await assert.rejects(async () => serve(parts, parsePath(target), anonymous), { code }, target);
    assert.deepEqual(calls, [], target);
  }
});

test("what is asked of a checksum database", async () => {
  const module = { path, version: "v1.0.0" };
  for (const database of ["sum.example.com", "ours.example"])
    for (const [name, served, request] of [
      ["supported", { policy: "supported", module: undefined, content: { body: new Uint8Array() } }],
      ["latest", { policy: "head", module: undefined, content: filled }, { kind: "head", database }],
      [
        "lookup/example.com/m@v1.0.0",
        { policy: "lookup", module: path, content: filled },
        { kind: "lookup", database, module },
      ],
      [
        "tile/8/0/000",
        { policy: "fullTile", module: undefined, content: filled },
        { kind: "tile", database, path: "tile/8/0/000" },
      ],
      [
        "tile/8/0/000.p/1",
        { policy: "partialTile", module: undefined, content: filled },
        { kind: "tile", database, path: "tile/8/0/000.p/1" },
      ],
    ] as const) {
      const { parts, calls } = world();
      assert.deepEqual(await serveSumdb(parts, parsePath(`/sumdb/${database}/${name}`), anonymous), served, name);
      assert.deepEqual(calls, request === undefined ? [] : [request], name);
    }
});

test("the lookup of a private module is refused here with what to set, and its path goes nowhere", async () => {
  const { parts, calls } = world();
  const [theirs] = parts.databases;
  const refused = (remedy: string) => (error: unknown) =>
    error instanceof ServedError && error.code === "forbidden" && error.message.includes(remedy);
  const routed = parsePath("/sumdb/sum.example.com/lookup/corp.example/!secret@v1.0.0");
  await assert.rejects(serveSumdb(parts, routed, anonymous), refused("/-/gosumdb"));
  const alone = { ...parts, databases: theirs === undefined ? [] : [theirs] };
  await assert.rejects(serveSumdb(alone, routed, anonymous), refused("GONOSUMDB=corp.example/Secret"));
  assert.deepEqual(calls, []);
});

test("records of our log are for whoever may read every module of the tile", async () => {
  const { parts } = world();
  const ask = (database: string, identity: Identity, anonymously?: AccessSettings["anonymous"]) =>
    serveSumdb(
      { ...parts, access: { ...parts.access, ...(anonymously && { anonymous: anonymously }) } },
      parsePath(`/sumdb/${database}/tile/8/data/000.p/2`),
      identity,
    );
  const tile = { module: undefined, content: { body: Buffer.from(records) } };
  for (const refused of [anonymous, holder(""), holder("corp.example/b"), holder("corp.example/a/c")])
    await assert.rejects(ask("ours.example", refused), { code: "forbidden", message: /^(?!.*corp\.example)/ });
  for (const modules of ["corp.example", "corp.example/a", "other.example,corp.example/*/b"])
    assert.deepEqual(await ask("ours.example", holder(modules)), { policy: "records", ...tile });
  assert.deepEqual(await ask("ours.example", anonymous, "all"), { policy: "records", ...tile });
  // Of the mirror of somebody else's all is public.
  assert.deepEqual(await ask("sum.example.com", anonymous), { policy: "partialTile", ...tile });
});

test("a private module is looked up in our log, and no shared cache is told that it is public", async () => {
  const { parts, calls } = world();
  const module = { path: "corp.example/a", version: "v1.0.0" };
  const served = await serveSumdb(parts, parsePath("/sumdb/ours.example/lookup/corp.example/a@v1.0.0"), holder(""));
  assert.deepEqual(served, { policy: "lookup", module: module.path, content: filled });
  assert.deepEqual(calls, [{ kind: "lookup", database: "ours.example", module }]);
  assert.doesNotMatch(policyOf("lookup", true).cacheControl, /public/);
  assert.equal(policyOf("records", false).cacheControl, "no-store");
});

test("without a checksum database there is none to ask", async () => {
  const { parts, calls } = world();
  for (const name of ["supported", "latest", "lookup/example.com/m@v1.0.0"]) {
    const routed = parsePath(`/sumdb/sum.example.com/${name}`);
    await assert.rejects(serveSumdb({ ...parts, databases: [] }, routed, anonymous), { code: "not-found" });
  }
  assert.deepEqual(calls, []);
});
