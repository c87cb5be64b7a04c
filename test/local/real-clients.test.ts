import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { ZipFile } from "yazl";
import { formatCredential } from "../../lambda/http/credential.ts";
import { createToken } from "../../lambda/http/tokens.ts";
import { FileTokenStore } from "../../lambda/local/file-token-store.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { skipWithoutGo } from "../support/xmod.ts";

// The real go command over TLS against npm start with tokens required: go sends credentials nowhere but on https.

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = skipWithoutGo || (hasOpenssl ? false : "openssl is not installed: no certificate can be made");

const folder = makeDataFolder();
const at = (...parts: string[]) => join(folder.path, ...parts);
const versions = ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0"];
let upstream: ScriptedUpstream;
let server: ChildProcess;
let host = "";
let token = "";
let narrow = "";
/** A public proxy in second place that has everything, and whom it was asked for. */
let second: Server;
const secondAsked: string[] = [];

async function moduleZip(module: string, version: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`module ${module}\n`), `${module}@${version}/go.mod`);
  zip.end();
  return buffer(zip.outputStream);
}

async function scriptModule(module: string): Promise<void> {
  for (const version of versions) {
    upstream.on(`/${module}/@v/${version}.info`, { body: `{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}` });
    upstream.on(`/${module}/@v/${version}.mod`, { body: `module ${module}\n` });
    upstream.on(`/${module}/@v/${version}.zip`, { body: await moduleZip(module, version) });
  }
}

function makeCertificate(): void {
  const subject = ["-subj", "/CN=modfront", "-addext", "subjectAltName=IP:127.0.0.1"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("key.pem")];
  const made = spawnSync("openssl", ["req", "-x509", ...key, "-out", at("cert.pem"), "-days", "2", ...subject]);
  assert.equal(made.status, 0, `${made.stderr}`);
}

async function startServer(): Promise<void> {
  const config = {
    access: { anonymous: "none" },
    private: ["corp.example"],
    upstreams: [{ patterns: "corp.example", chain: upstream.url }],
  };
  writeFileSync(at("config.json"), JSON.stringify(config));
  const tls = ["--tls-cert", at("cert.pem"), "--tls-key", at("key.pem")];
  const args = ["--port", "0", "--data", at("data"), "--config", at("config.json"), "--log", "text", ...tls];
  const bin = join(import.meta.dirname, "../../bin/local.ts");
  server = spawn(process.execPath, [bin, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, GOPROXY: "off" },
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  const lines: string[] = [];
  createInterface(server.stdout ?? assert.fail("no output")).on("line", (line) => {
    lines.push(line);
    writeFileSync(at("log"), lines.join("\n"));
    const url = /GOPROXY=https:\/\/(\S+)/.exec(line)?.[1];
    if (url !== undefined) resolve(url);
  });
  host = await promise;
}

before(async () => {
  if (skip !== false) return;
  upstream = await ScriptedUpstream.start();
  await scriptModule("corp.example/m");
  await scriptModule("corp.example/secret");
  makeCertificate();
  const store = new FileTokenStore(at("data", "access.json"));
  const now = Math.floor(Date.now() / 1000);
  const request = { subject: "gopher", role: "viewer", days: 1 };
  token = (await createToken(store, { ...request, modules: "corp.example" }, now)).token;
  narrow = (await createToken(store, { ...request, modules: "corp.example/m" }, now)).token;
  second = createServer((asked, response) => {
    secondAsked.push(asked.url ?? "");
    response.end('{"Version":"v1.0.0"}');
  }).listen(0, "127.0.0.1");
  await once(second, "listening");
  await startServer();
});

after(async () => {
  if (skip === false) {
    server.kill();
    await once(server, "close");
    second.close();
    await upstream.close();
  }
  folder.remove();
});

/** Runs `go mod download` in a home of its own and returns its exit code and what it said. */
async function download(
  name: string,
  module: string,
  settings: { readonly proxy: string; readonly netrc?: string; readonly goauth?: string },
): Promise<{ readonly code: number; readonly said: string }> {
  const home = at(name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "go.mod"), "module example.org/here\n");
  writeFileSync(join(home, ".netrc"), settings.netrc ?? "", { mode: 0o600 });
  const { PATH = "" } = process.env;
  const own = { HOME: home, GOMODCACHE: join(home, "cache"), GOFLAGS: "-modcacherw", SSL_CERT_FILE: at("cert.pem") };
  const fixed = { PATH, GOENV: "off", GOSUMDB: "off", GOTOOLCHAIN: "local", GOPROXY: settings.proxy };
  const env = { ...own, ...fixed, ...(settings.goauth === undefined ? {} : { GOAUTH: settings.goauth }) };
  const go = spawn("go", ["mod", "download", module], { cwd: home, env, stdio: ["ignore", "ignore", "pipe"] });
  const said = buffer(go.stderr);
  const [code] = await once(go, "close");
  return { code, said: (await said).toString() };
}

test("netrc, the URL and GOAUTH carry the token of the real go command", { skip }, async () => {
  writeFileSync(at("credential"), formatCredential([`https://${host}`], token));
  const proxy = `https://${host}`;
  const rows = [
    // Since 1.24 go looks netrc machines up with their port.
    ["netrc", versions[0], { proxy, netrc: `machine ${host} login any password ${token}\n` }],
    ["url", versions[1], { proxy: `https://any:${token}@${host}` }],
    ["goauth", versions[2], { proxy, goauth: `cat ${at("credential")}` }],
  ] as const;
  for (const [name, version, settings] of rows) {
    const { code, said } = await download(name, `corp.example/m@${version}`, settings);
    assert.equal(code, 0, `${name}: ${said}`);
  }
});

test("neither a refusal nor an outage sends go to the next proxy, which would answer", { skip }, async () => {
  upstream.on("/corp.example/m/@v/v1.4.0.info", { status: 503 });
  const next = `http://127.0.0.1:${(second.address() as AddressInfo).port}`;
  const rows = [
    ["nobody", "corp.example/secret@v1.0.0", `https://${host}`, /401 Unauthorized.*needs a modfront token/s],
    ["forged", "corp.example/secret@v1.0.0", `https://any:${token}x@${host}`, /401 Unauthorized/],
    ["narrow", "corp.example/secret@v1.0.0", `https://any:${narrow}@${host}`, /403 Forbidden.*does not cover/s],
    ["list", "corp.example/secret@latest", `https://any:${narrow}@${host}`, /403 Forbidden.*does not cover/s],
    ["outage", "corp.example/m@v1.4.0", `https://any:${narrow}@${host}`, /502 Bad Gateway/],
  ] as const;
  for (const [name, module, proxy, message] of rows) {
    const { code, said } = await download(name, module, { proxy: `${proxy},${next}` });
    assert.equal(code, 1, name);
    assert.match(said, message, name);
  }
  assert.deepEqual(secondAsked, []);
  assert.equal(upstream.count("/corp.example/secret/@v/v1.0.0.info"), 0);
});

test("no token is in the log or among the files of modules", { skip }, () => {
  const log = readFileSync(at("log"), "utf8");
  assert.match(log, /200 GET/);
  for (const secret of [token, narrow]) {
    assert.ok(!log.includes(secret.slice(-43)));
    const found = spawnSync("grep", ["-rlaF", secret.slice(-43), at("data")], { encoding: "utf8" });
    assert.equal(found.stdout, "");
  }
});
