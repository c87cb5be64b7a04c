import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hashGoMod, hashZip } from "../../../lambda/golang/dirhash.ts";
import { ChecksumDatabase } from "../../support/checksum-database.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { serveDatabase } from "../../support/database-server.ts";
import { DirectSource, directModules } from "../../support/direct-source.ts";
import { freePort } from "../../support/free-port.ts";
import { appKey, GithubApi } from "../../support/github-api.ts";
import { filePath, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { get, startProduct, storedKeys } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";
import { temporaryFile } from "../../support/zip-file.ts";

// `https://a.example,direct`: what a has comes from there, the rest from the modules' own repositories.

const module = directModules.suffixed;
const path = (version: string, kind: "info" | "mod" | "zip") => filePath({ path: module, version }, kind);

test("a public module by direct is held against the checksum database", async (t) => {
  await using upstream = await ScriptedUpstream.start();
  await using source = await DirectSource.start(module);
  source.commit(module, "package lib // 2\n", "v1.1.0");
  // What the repository has, as a private module that nobody else speaks for.
  const own = await startProduct({ data: dataFolder(t), config: source.config });
  const zip = (await get(own.url, path("v1.0.0", "zip"))).body;
  const mod = (await get(own.url, path("v1.0.0", "mod"))).body;
  await own.stop();

  const database = new ChecksumDatabase();
  await database.addRecord(module, "v1.0.0", await hashZip(temporaryFile(zip)), hashGoMod(mod));
  await database.addRecord(module, "v1.1.0", await hashZip(temporaryFile(zip)), hashGoMod(mod));
  await using server = await ScriptedUpstream.start();
  server.otherwise(serveDatabase(database));
  const data = dataFolder(t);
  const product = await startProduct({
    data,
    config: {
      ...source.config,
      private: [],
      upstreams: [{ patterns: "*", chain: `${upstream.url},direct` }],
      sumdb: { name: database.vkey, url: server.url },
    },
  });
  t.after(() => product.stop());
  const right = await get(product.url, path("v1.0.0", "zip"));
  assert.deepEqual([right.status, right.body.equals(zip)], [200, true], right.body.toString().slice(0, 200));
  assert.equal(upstream.count(path("v1.0.0", "zip")), 1, "who stands before is asked first");
  const wrong = await get(product.url, path("v1.1.0", "zip"));
  assert.equal(wrong.status, 403);
  assert.match(wrong.body.toString(), /the zip of \S+@v1\.1\.0 differs from the checksum database/);
  assert.deepEqual(
    storedKeys(data).filter((key) => key.includes("v1.1.0.zip")),
    [],
  );
});

test("a GitHub App opens a repository: one token for all that is asked", async (t) => {
  await using source = await DirectSource.start(module);
  await using api = await GithubApi.start();
  // The owner is the first element of the repository's path.
  api.installations.set("repo", 5);
  source.accepts = (shown) => shown === `Basic ${Buffer.from(`x-access-token:${api.tokens[0]}`).toString("base64")}`;
  const key = join(dataFolder(t), "app.pem");
  writeFileSync(key, appKey);
  const { host } = source.server.url;
  const credentials = [{ match: host, kind: "github-app", user: "1234", api: api.url, secret: { file: key } }];
  const product = await startProduct({ data: dataFolder(t), config: { ...source.config, credentials } });
  t.after(() => product.stop());
  assert.equal((await get(product.url, path("v1.0.0", "zip"))).status, 200);
  assert.equal((await get(product.url, `/${module}/@v/list`)).body.toString(), "v1.0.0\n");
  assert.deepEqual(api.requests, ["GET /users/repo/installation", "POST /app/installations/5/access_tokens"]);
});

test("where direct cannot be reached, what is known is answered, and the rest is 502 with the host's name", async (t) => {
  await using upstream = await ScriptedUpstream.start();
  const stored = moduleFixture("corp.example/stored");
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(stored, kind), { body: stored[kind] });
  const product = await startProduct({
    data: dataFolder(t),
    config: {
      private: ["corp.example"],
      upstreams: [{ patterns: ["corp.example"], chain: `${upstream.url},direct` }],
      git: { rewrite: [{ from: "https://corp.example/", to: `http://127.0.0.1:${await freePort()}/` }] },
    },
  });
  t.after(() => product.stop());
  const ask = async (at: string) => {
    const { status, body } = await get(product.url, at);
    return `${status} ${body}`;
  };
  assert.match(await ask(filePath(stored, "zip")), /^200 /);
  // The upstream lists nothing of it.
  assert.equal(await ask(`${versionsPath(stored)}/list`), "200 v1.0.0\n");
  assert.match(await ask("/corp.example/stored/@latest"), /^200 \{"Version":"v1\.0\.0"/);

  const refused =
    /^502 upstream direct cannot read its repository at corp\.example: it refused the connection( a moment ago)?\n$/;
  for (const at of [
    "/corp.example/stored/@v/v1.1.0.info",
    "/corp.example/stored/@v/main.info",
    "/corp.example/other.git/@v/list",
    "/corp.example/other.git/@latest",
    "/corp.example/other.git/@v/v1.0.0.zip",
  ])
    assert.match(await ask(at), refused, at);
  assert.match(await ask("/corp.example/other.git/@v/v1.0.0.mod"), /a moment ago/);

  // An earlier place that is down is not passed by, and its 403 is its own.
  upstream.on("/corp.example/down/@v/list", { status: 403 }).on("/corp.example/gone/@v/list", { status: 503 });
  assert.match(await ask("/corp.example/down/@v/list"), /^403 .*refuses it/);
  assert.match(await ask("/corp.example/gone/@v/list"), /^502 upstream http:\S+ answered 503\n$/);
});
