import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { makeCertificate } from "../support/certificate.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine } from "../support/go-command.ts";
import { skipWithoutGoAndTls as skip } from "../support/guarded-modfront.ts";
import { noise, zipOf } from "../support/module-fixture.ts";
import { Site } from "../support/site.ts";
import { TlsFront } from "../support/tls-front.ts";
import "../support/localhost-names.ts";
import { stackCli, stackToken } from "../support/stack-cli.ts";

// Publishing on AWS: a small zip in one request, a larger one by a place that the function signs an address of, and what the
// real go makes of both. The tests are a story: each begins where the one before ended.

const path = "corp.example/pay/lib";

/** A version whose code says which it is, with so many bytes that do not compress beside it. */
function version(number: string, bytes = 0, more = ""): Buffer {
  const mod = Buffer.from(`module ${path}\n\ngo 1.21\n`);
  const at = `${path}@${number}`;
  return zipOf({ path, version: number, mod }, [
    { name: `${at}/lib.go`, content: `package lib\n\nconst Version = "${number}"\n${more}` },
    ...(bytes > 0 ? [{ name: `${at}/noise.bin`, content: noise(number, bytes) }] : []),
  ]);
}

const small = version("v1.0.0");
const changed = version("v1.0.0", 0, "// other\n");
const large = version("v1.1.0", 5 << 20);

describe("publishing, deployed", { skip }, () => {
  const folder = makeDataFolder();
  let site: Site;
  let front: TlsFront;
  let by = "";
  let other = "";

  before(async () => {
    site = await Site.start({
      private: "corp.example",
      upstreams: [{ patterns: "*", chain: "off" }],
      sumdb: { name: "off" },
      access: { anonymous: "none" },
      tenants: { pay: { modules: "corp.example/pay" }, hr: { modules: "corp.example/hr" } },
      publishing: { rules: [{ modules: "corp.example/pay", sequence: "next" }] },
    });
    front = await TlsFront.start(site.url, makeCertificate(folder.path), { redirect: false });
    by = await stackToken(site, { modules: "@pay", subject: "ci", role: "publisher" });
    other = await stackToken(site, { modules: "@hr", subject: "other", role: "publisher" });
    // The edge's copy of the keys is a second old.
    await eventually(async () => (await ask("GET", `/${path}/@v/list`, by)).status !== 401);
  });

  after(async () => {
    await front?.[Symbol.asyncDispose]();
    await site?.stop();
    folder.remove();
  });

  const ask = async (method: string, address: string, token: string, body?: Uint8Array | string) => {
    const type = typeof body === "string" ? "application/json" : "application/zip";
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": type }),
    };
    const answer = await fetch(site.url + address, { method, headers, redirect: "manual", ...(body && { body }) });
    const text = await answer.text();
    const said = /^\{/.test(text) ? JSON.parse(text) : {};
    return { status: answer.status, text, said, cache: answer.headers.get("cache-control") };
  };

  const address = (number: string) => `/-/publish/${path}/@v/${number}.zip`;
  const place = (number: string, body: object, token = by) => ask("POST", address(number), token, JSON.stringify(body));
  const put = (to: { url: string; headers: Record<string, string> }, body: Uint8Array, more = {}) =>
    fetch(to.url, { method: "PUT", headers: { ...to.headers, ...more }, body });
  const listed = async () => (await ask("GET", `/${path}/@v/list`, by)).text;

  test("a small zip is published in one request; the same again is there, other bytes are not taken", async () => {
    const first = await ask("PUT", address("v1.0.0"), by, small);
    assert.deepEqual([first.status, first.said.path, first.said.version], [201, path, "v1.0.0"], first.text);
    assert.equal(first.cache, "no-store");
    const again = await ask("PUT", address("v1.0.0"), by, small);
    assert.deepEqual([again.status, again.said], [200, first.said]);
    const conflict = await ask("PUT", address("v1.0.0"), by, changed);
    assert.equal(conflict.status, 409, conflict.text);
    assert.deepEqual(conflict.said.stored, { sum: first.said.sum, goModSum: first.said.goModSum });
  });

  test("a larger one is put where the function says, by just these bytes, and committed by who was given the place", async () => {
    const sha256 = createHash("sha256").update(large).digest("hex");
    const { status, said, text } = await place("v1.1.0", { size: large.length, sha256 });
    assert.equal(status, 200, text);
    const { upload, commit } = said;
    assert.match(
      new URL(upload.url).searchParams.get("X-Amz-SignedHeaders") ?? "",
      /^content-length;host;if-none-match;x-amz-checksum-sha256$/,
    );
    assert.match(new URL(upload.url).pathname, /-\/upload\/[\w-]{36}$/);
    assert.equal(new URL(upload.url).searchParams.get("X-Amz-Expires"), "900");
    // Nothing is there yet.
    assert.equal((await ask("POST", commit, by, "{}")).status, 422);
    assert.equal((await put(upload, large)).status, 200);
    assert.equal((await put(upload, large)).status, 412, "a place takes one file");
    assert.equal((await ask("POST", commit, other, "{}")).status, 403);
    const elsewhere = commit.replace("v1.1.0.zip", "v1.1.1.zip");
    assert.match((await ask("POST", elsewhere, by, "{}")).text, /given to somebody else, or for another version/);
    const done = await ask("POST", commit, by, "{}");
    assert.deepEqual([done.status, done.said.version], [201, "v1.1.0"], done.text);
    const again = await ask("POST", commit, by, "{}");
    assert.deepEqual([again.status, again.said], [200, done.said]);
  });

  test("what is too large for one request, or for go, is not taken", async () => {
    const { status, text } = await ask("PUT", address("v1.9.0"), by, Buffer.alloc(4_200_000));
    assert.deepEqual([status, /more than 4194304 bytes/.test(text)], [413, true], text);
    assert.equal((await place("v1.9.0", { size: (500 << 20) + 1 })).status, 413);
    assert.equal((await place("v1.9.0", {})).status, 400);
    assert.equal((await place("v1.9.0", { size: 5, sha256: "x" })).status, 400);
    assert.equal((await place("v1.9.0", { size: 5 }, other)).status, 403);
    assert.equal((await ask("PUT", address("v1.9.0"), by, Buffer.from("no zip"))).status, 422);
    const open = await ask("PUT", "/-/publish/example.com/open/@v/v1.0.0.zip", by, small);
    assert.deepEqual([open.status, /is not private/.test(open.text)], [422, true], open.text);
    const gap = await ask("PUT", address("v1.9.0"), by, version("v1.9.0"));
    assert.deepEqual(
      [gap.status, /after v1\.1\.0 comes v1\.1\.1, v1\.2\.0, v2\.0\.0/.test(gap.text)],
      [422, true],
      gap.text,
    );
    assert.equal((await fetch(site.url + address("v1.9.0"), { method: "PUT", body: "x" })).status, 401);
  });

  test("go gets both versions and verifies them by our log", async () => {
    const gosumdb = (await ask("GET", "/-/gosumdb", by)).text.trim();
    await eventually(async () => /v1\.1\.0/.test(await listed()));
    const proxy = `https://any:${by}@${front.host}`;
    using machine = new GoMachine(proxy, { GOSUMDB: gosumdb, SSL_CERT_FILE: `${folder.path}/cert.pem` });
    machine.write("go.mod", "module example.com/main\n\ngo 1.21\n");
    machine.write("main.go", `package main\n\nimport "${path}"\n\nfunc main() { println(lib.Version) }\n`);
    for (const number of ["v1.0.0", "v1.1.0"]) {
      const got = await machine.go("get", `${path}@${number}`);
      assert.equal(got.code, 0, got.stderr);
      assert.equal((await machine.go("run", ".")).stderr.trim(), number);
    }
    assert.equal((await machine.go("mod", "verify")).code, 0);
  });

  test("a yanked version leaves list and latest, and is still there by its number", async () => {
    const yanks = `/-/api/yanks/${path}@v1.1.0`;
    assert.equal((await ask("PUT", yanks, other, JSON.stringify({ reason: "x" }))).status, 403);
    const { status, said, text } = await ask("PUT", yanks, by, JSON.stringify({ reason: "loses orders" }));
    assert.deepEqual([status, said], [200, { path, version: "v1.1.0", yanked: true }], text);
    site.edge.reset();
    assert.equal(await listed(), "v1.0.0\n");
    assert.equal((await ask("GET", `/${path}/@latest`, by)).said.Version, "v1.0.0");
    assert.equal((await ask("GET", `/${path}/@v/v1.1.0.info`, by)).said.Version, "v1.1.0");
    assert.equal((await ask("DELETE", yanks, by)).status, 200);
    site.edge.reset();
    assert.equal(await listed(), "v1.0.0\nv1.1.0\n");
  });

  test("the audit names who published and yanked, and who was refused", async () => {
    const { code, stdout, stderr } = await stackCli(site, "audit", "--json");
    assert.equal(code, 0, stderr);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const told = (action: string, decision: string) =>
      events
        .filter((event) => event.action === action && event.decision === decision)
        .map(({ subject, tenant, version: of }) => `${subject} ${tenant} ${of}`);
    assert.ok(told("module.publish", "done").includes("ci pay v1.1.0"), stdout);
    assert.deepEqual(told("module.yank", "done"), ["ci pay v1.1.0"]);
    assert.ok(
      told("request.publish-staged", "refused").some((line) => line.startsWith("other hr")),
      stdout,
    );
    assert.ok(!site.aws.log().includes(by.slice(-43)));
  });
});
