import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { GuardedModfront, skipWithoutGoAndTls } from "../support/guarded-modfront.ts";
import { ScriptedIssuer } from "../support/scripted-issuer.ts";

// The script of the composite action as a runner runs it, against a fake of GitHub's token endpoint and npm start; what it
// sets is then the real go's environment.

const root = join(import.meta.dirname, "../..");
const hasTools = ["bash", "curl", "sed"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
const skip = skipWithoutGoAndTls || (hasTools ? false : "bash, curl or sed is not installed");

interface Answer {
  readonly status?: number;
  readonly body: string;
}

let issuer: ScriptedIssuer;
let modfront: GuardedModfront;
let github: Server;
/** What GitHub answers in place of a token, and what it was asked. */
let answer: Answer | undefined;
let refusals = 0;
const asked: { readonly target: string; readonly authorization: string | undefined }[] = [];
let claims: Record<string, unknown> = {};

const url = () => modfront.process.url;

before(async () => {
  if (skip !== false) return;
  issuer = await ScriptedIssuer.start();
  const rules = [{ match: { repository_owner_id: "1234567" }, modules: "corp.example", minutes: 10 }];
  modfront = await GuardedModfront.startWith({
    oidc: [{ issuer: issuer.issuer, audience: "https://go.corp.example", rules }],
  });
  modfront.script("corp.example/m", "v1.0.0");
  const { cert, key } = modfront.certificate;
  github = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async (request, response) => {
    asked.push({ target: decodeURIComponent(request.url ?? ""), authorization: request.headers.authorization });
    const audience = new URL(request.url ?? "", "https://x").searchParams.get("audience");
    const value = await issuer.token({ claims: { aud: audience ?? "", ...claims } });
    if (request.url === "/-/gosumdb" && refusals-- > 0) return void response.writeHead(503).end(`{"value":"busy"}\nx`);
    if (request.url === "/-/gosumdb") return void response.end("corp.example+01234567+AbCd\n");
    if (request.url === "/-/token") return void response.end(`{"token":"mf_x.${"y".repeat(43)}"}`);
    response.statusCode = answer?.status ?? 200;
    response.end(answer?.body ?? JSON.stringify({ count: value.length, value }));
  }).listen(0, "127.0.0.1");
  await once(github, "listening");
});

after(async () => {
  if (skip !== false) return;
  github.close();
  github.closeAllConnections();
  await modfront[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

let jobs = 0;

/** Runs the script as the step of a job, and returns what it printed and set. */
async function step(more: Readonly<Record<string, string>> = {}) {
  const temporary = modfront.path(`job-${jobs++}`);
  mkdirSync(temporary);
  const environmentFile = join(temporary, "environment");
  writeFileSync(environmentFile, "");
  const script = spawn("bash", [join(root, "action/sign-in.sh")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: temporary,
      RUNNER_TEMP: temporary,
      GITHUB_ENV: environmentFile,
      CURL_CA_BUNDLE: modfront.certificate.cert,
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "r3quest-token",
      MODFRONT_URL: url(),
      MODFRONT_AUDIENCE: "https://go.corp.example",
      MODFRONT_GOSUMDB: "",
      ...more,
    },
  });
  const [stdout, stderr, [code]] = await Promise.all([text(script.stdout), text(script.stderr), once(script, "close")]);
  const lines = readFileSync(environmentFile, "utf8").split("\n").filter(Boolean);
  const set = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  return { code, stdout, stderr, set, temporary };
}

test("a job gets a token that the real go shows, masked before anything else is said", { skip }, async () => {
  claims = { repository_owner_id: "1234567", repository: "corp/app" };
  asked.length = 0;
  const { code, stdout, stderr, set, temporary } = await step();
  assert.deepEqual([code, stderr], [0, ""], stderr);
  assert.deepEqual(asked, [
    { target: "/token?api-version=2.0&audience=https://go.corp.example", authorization: "bearer r3quest-token" },
  ]);
  const netrc = readFileSync(set.NETRC ?? "", "utf8");
  const [, token = ""] = /password (\S+)/.exec(netrc) ?? [];
  assert.equal(netrc, `machine ${modfront.host} login modfront password ${token}\n`);
  assert.equal(statSync(set.NETRC ?? "").mode & 0o777, 0o600);
  const masks = stdout.split("\n").flatMap((line) => line.match(/^::add-mask::(.*)$/)?.[1] ?? []);
  assert.match(masks[0] ?? "", /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.deepEqual(masks.slice(1), [token, Buffer.from(`modfront:${token}`).toString("base64")]);
  assert.deepEqual(stdout.split("\n").slice(3), [`modfront: signed in to ${modfront.host}`, ""]);
  assert.equal(set.GOPROXY, url());
  assert.match(set.GOSUMDB ?? "", /^[0-9a-f]{8}\.modfront\+[0-9a-f]{8}\+[\w+/=]+$/);
  assert.ok(readdirSync(temporary).length > 0);

  const { GOSUMDB = "", NETRC = "" } = set;
  const machine = modfront.machine({ proxy: set.GOPROXY ?? "", environment: { GOSUMDB, NETRC } });
  const run = await machine.go("mod", "download", "corp.example/m@v1.0.0");
  assert.equal(run.code, 0, run.stderr);
});

test("what the job had in its netrc is kept, and a checksum database that is given is not asked for", {
  skip,
}, async () => {
  const netrc = modfront.path("own-netrc");
  writeFileSync(netrc, "machine git.corp.example login a password b\n");
  const gosumdb = "corp.example+01234567+AbCd+/==";
  const { code, stderr, set } = await step({ NETRC: netrc, MODFRONT_GOSUMDB: gosumdb, MODFRONT_URL: `${url()}/` });
  assert.equal(code, 0, stderr);
  assert.equal(set.GOSUMDB, gosumdb);
  assert.equal(set.GOPROXY, url());
  assert.match(
    readFileSync(set.NETRC ?? "", "utf8"),
    /^machine 127\.[^\n]*\nmachine git\.corp\.example login a password b\n$/,
  );
});

test("of an answer that came at the second try nothing of the first is left", { skip }, async () => {
  refusals = 1;
  const { code, stderr, set } = await step({
    MODFRONT_URL: `https://127.0.0.1:${(github.address() as AddressInfo).port}`,
  });
  assert.deepEqual([code, set.GOSUMDB], [0, "corp.example+01234567+AbCd"], stderr);
  assert.ok(refusals < 1);
});

test("whatever goes wrong ends the step in one line, sets nothing and shows nothing", { skip }, async () => {
  const hostile = "::set-env name=PATH::x ##[add-path]\u001b[2J";
  const rows: readonly (readonly [
    said: RegExp,
    environment: Record<string, string>,
    claims?: object,
    answer?: Answer,
  ])[] = [
    [/permissions: \{ id-token: write/, { ACTIONS_ID_TOKEN_REQUEST_URL: "" }],
    [/permissions: \{ id-token: write/, { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" }],
    [/url is to be an https URL/, { MODFRONT_URL: "http://go.corp.example" }],
    [/url is to be an https URL/, { MODFRONT_URL: "https://user:pass@go.corp.example" }],
    [/url is to be an https URL/, { MODFRONT_URL: "https://go.corp.example\nPATH=x" }],
    [/GitHub gave no ID token/, {}, {}, { body: "{}" }],
    [/GitHub gave no ID token/, {}, {}, { body: `{"value":"a b${hostile}"}` }],
    [/answered 403: x ::set-env namePATH::x add-path2J\n/, {}, {}, { status: 403, body: `x\n${hostile}` }],
    [/answered 401: .*three parts of base64url/, {}, {}, { body: '{"value":"abc"}' }],
    [/answered 403: .*no rule of this issuer fits; looked at: repository_owner_id/, {}, { repository_owner_id: "7" }],
    [/answered 401: .*aud/, { MODFRONT_AUDIENCE: "https://other.example" }],
    [/names no checksum database/, { MODFRONT_GOSUMDB: "x\nPATH=/evil" }],
    [/names no checksum database/, { MODFRONT_GOSUMDB: "x+y+z PATH" }],
    [/no answer/, { MODFRONT_URL: "https://127.0.0.1:1" }],
    [/no answer/, { CURL_CA_BUNDLE: "/dev/null" }],
  ];
  for (const [said, environment, wrong = { repository_owner_id: "1234567" }, body] of rows) {
    [claims, answer] = [{ ...wrong }, body];
    const { code, stdout, stderr, set } = await step(environment);
    const row = JSON.stringify([environment, body]);
    assert.equal(code, 1, row);
    assert.match(stderr, said, row);
    assert.match(stderr, /^(?:curl: [^\n]*\n)*modfront: [^\n]*\n$/, row);
    assert.deepEqual({ ...set }, {}, row);
    const shown = (stdout + stderr).replace(/^::add-mask::.*\n/gm, "");
    assert.ok(!/eyJ|mf_|r3quest|##\[|^::|\u001b/m.test(shown), row + shown);
  }
  [claims, answer] = [{}, undefined];
});

test("the action hands its inputs to the script, under the names that it reads", () => {
  const action = readFileSync(join(root, "action/action.yml"), "utf8");
  const script = readFileSync(join(root, "action/sign-in.sh"), "utf8");
  const names = (text: string, what: RegExp) => [...new Set([...text.matchAll(what)].map(([, name]) => name))].sort();
  const declared = names(action.slice(action.indexOf("inputs:"), action.indexOf("runs:")), /^ {2}(\w+):$/gm);
  assert.deepEqual(declared, ["audience", "gosumdb", "url"]);
  assert.deepEqual(names(action, /\$\{\{ inputs\.(\w+) \}\}/g), declared);
  assert.deepEqual(names(action, /^ {8}(MODFRONT_\w+):/gm), names(script, /\$\{(MODFRONT_\w+)/g));
  assert.match(action, /bash "\$GITHUB_ACTION_PATH\/sign-in\.sh"/);
});
