import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { GoRun } from "../../support/go-command.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "../../support/guarded-modfront.ts";
import { filePath, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Dependency confusion: go asks the next proxy of its list after a 404 alone. The next one here has an answer to
// everything; whatever modfront refuses or cannot get must never be asked there.

let modfront: GuardedModfront;
let database: ScriptedUpstream;
let next: Server;
const askedNext: string[] = [];

before(async () => {
  if (skip !== false) return;
  database = await ScriptedUpstream.start();
  database.otherwise(() => ({ status: 503 }));
  modfront = await GuardedModfront.start("--sumdb", database.url);
  next = createServer((asked, response) => {
    askedNext.push(asked.url ?? "");
    response.end('{"Version":"v1.0.0"}');
  }).listen(0, "127.0.0.1");
  await once(next, "listening");
});

after(async () => {
  if (skip !== false) return;
  next.close();
  await modfront[Symbol.asyncDispose]();
  await database.close();
});

const version = "v1.0.0";
const download = (module: string) => ["mod", "download", `${module}@${version}`];

/** A command that needs one kind of answer, from a machine that lost only that from its cache. */
interface Need {
  readonly command: (module: string) => readonly string[];
  /** What the machine has not; without it everything. */
  readonly lost?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const needs: Readonly<Record<string, Need>> = {
  info: { command: download, lost: "*" },
  mod: { command: download, lost: "*.{mod,zip,ziphash}" },
  zip: { command: download, lost: "*.{zip,ziphash}" },
  list: { command: (module) => ["list", "-m", "-versions", module], lost: "*" },
  latest: { command: (module) => ["list", "-m", `${module}@latest`], lost: "*" },
  lookup: { command: download, environment: { GOSUMDB: "sum.golang.org" } },
};

/** Runs what needs this answer of a module which the machine had once, with this token now. */
async function run(name: string, module: string, token: string, from: string): Promise<GoRun> {
  const { command, lost, environment } = needs[name] ?? assert.fail(name);
  const cache = { GOMODCACHE: modfront.path(`cache-${module.replaceAll("/", "-")}`) };
  const had = await modfront.machine({ proxy: from, environment: cache }).go(...download(module));
  assert.equal(had.code, 0, `${name}: ${had.stderr}`);
  const folder = join(cache.GOMODCACHE, "cache/download", module, "@v");
  if (lost !== undefined) {
    for (const file of globSync(lost, { cwd: folder })) rmSync(join(folder, file));
    rmSync(join(cache.GOMODCACHE, `${module}@${version}`), { recursive: true });
  }
  const proxy = `https://any:${token}@${modfront.host},http://127.0.0.1:${(next.address() as AddressInfo).port}`;
  return await modfront.machine({ proxy, environment: { ...cache, ...environment } }).go(...command(module));
}

test("a refusal never sends go to the next proxy, whatever it needs of the module", { skip }, async () => {
  const tokens = {
    narrow: [await modfront.token({ modules: "corp.example/else" }), /403 Forbidden.*does not cover this private/s],
    forged: [`${(await modfront.token()).slice(0, -1)}_`, /401 Unauthorized.*not valid here/s],
    none: ["", /401 Unauthorized/],
  } as const;
  for (const name of Object.keys(needs)) {
    for (const [who, [token, said]] of Object.entries(tokens)) {
      const module = `corp.example/${name}-${who}`;
      modfront.script(module, version);
      const { code, stderr } = await run(name, module, token, modfront.upstream.url);
      assert.notEqual(code, 0, `${name} ${who}`);
      assert.match(stderr, said, `${name} ${who}`);
    }
  }
  assert.deepEqual(askedNext, []);
});

test("nor does an outage of the upstream or of the checksum database", { skip }, async () => {
  const token = await modfront.token();
  for (const name of Object.keys(needs)) {
    // Only what is public is looked up.
    const module = name === "lookup" ? "public.example/m" : `corp.example/down-${name}`;
    modfront.script(module, version);
    const source = await ScriptedUpstream.start();
    const fixture = moduleFixture(module, version);
    for (const kind of ["info", "mod", "zip"] as const) source.on(filePath(fixture, kind), { body: fixture[kind] });
    const down = { info: filePath(fixture, "info"), mod: filePath(fixture, "mod"), zip: filePath(fixture, "zip") };
    const versions = versionsPath(fixture);
    const path = { ...down, list: `${versions}/list`, latest: `${versions.replace("/@v", "")}/@latest`, lookup: "" }[
      name
    ];
    modfront.upstream.on(path ?? "", { status: 503 });
    if (name === "latest") modfront.upstream.on(`${versions}/list`, { body: "" });
    const { code, stderr } = await run(name, module, token, source.url);
    await source.close();
    assert.notEqual(code, 0, name);
    assert.match(stderr, /50[24] (Bad Gateway|Gateway Timeout)/, name);
  }
  assert.deepEqual(askedNext, []);
  assert.ok(database.requests.some(({ path }) => path.startsWith("/lookup/public.example/m@")));
});

test("the next proxy would have answered: after a 404 it is asked", { skip }, async () => {
  const proxy = `https://any:${await modfront.token()}@${modfront.host},http://127.0.0.1:${(next.address() as AddressInfo).port}`;
  await modfront.machine({ proxy }).go(...download("public.example/unknown"));
  assert.deepEqual(askedNext[0], `/public.example/unknown/@v/${version}.info`);
});
