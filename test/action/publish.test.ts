import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { git, hasGit } from "../support/git-repository.ts";
import { GuardedModfront, skipWithoutGoAndTls } from "../support/guarded-modfront.ts";
import { ScriptedIssuer } from "../support/scripted-issuer.ts";

// The script of action/publish as a runner runs it for a tag: a fake of GitHub's token endpoint, npm start, and the real go.

const root = join(import.meta.dirname, "../..");
const hasTools = hasGit && ["bash", "curl", "sed"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
const skip = skipWithoutGoAndTls || (hasTools ? false : "bash, curl, sed or git is not installed");

/** With this node, whatever the machine has. */
const path = `${dirname(process.execPath)}:${process.env.PATH}`;

let issuer: ScriptedIssuer;
let modfront: GuardedModfront;
let github: Server;
let workspace: string;

before(async () => {
  if (skip !== false) return;
  issuer = await ScriptedIssuer.start();
  const rule = {
    match: { repository_owner_id: "1234567", ref_type: "tag" },
    role: "publisher",
    modules: "corp.example/*",
  };
  modfront = await GuardedModfront.startWith({
    oidc: [{ issuer: issuer.issuer, audience: "modfront", rules: [rule] }],
  });
  const { cert, key } = modfront.certificate;
  github = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async ({ url = "" }, response) => {
    const aud = new URL(url, "https://x").searchParams.get("audience") ?? "";
    const claims = {
      aud,
      repository_owner_id: "1234567",
      repository: "corp/lib",
      ref_type: "tag",
      jti: crypto.randomUUID(),
    };
    response.end(JSON.stringify({ value: await issuer.token({ claims }) }));
  }).listen(0, "127.0.0.1");
  await once(github, "listening");
  workspace = modfront.path("workspace");
  mkdirSync(join(workspace, "sub"), { recursive: true });
  writeFileSync(join(workspace, "go.mod"), "module corp.example/lib\n\ngo 1.24\n");
  writeFileSync(join(workspace, "lib.go"), "package lib\n\nconst Answer = 42\n");
  writeFileSync(join(workspace, "sub/go.mod"), "module corp.example/lib/sub\n\ngo 1.24\n");
  writeFileSync(join(workspace, "sub/sub.go"), "package sub\n\nconst Answer = 43\n");
  git(workspace, ["init", "-q", "-b", "main"]);
  git(workspace, ["add", "-A"]);
  git(workspace, ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"]);
  for (const tag of ["v1.0.0", "sub/v1.0.0", "evil/v1.0.0"]) git(workspace, ["tag", tag]);
});

after(async () => {
  if (skip !== false) return;
  github.close();
  github.closeAllConnections();
  await modfront[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

let jobs = 0;

/** Runs the script as the step of a job for a tag, and returns what it printed and set. */
async function step(more: Readonly<Record<string, string>> = {}) {
  const temporary = modfront.path(`job-${jobs++}`);
  mkdirSync(temporary);
  const [output, environment] = ["output", "environment"].map((name) => join(temporary, name)) as [string, string];
  for (const file of [output, environment]) writeFileSync(file, "");
  const script = spawn("bash", [join(root, "action/publish/publish.sh")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...{ PATH: path, HOME: temporary, RUNNER_TEMP: temporary, GITHUB_WORKSPACE: workspace },
      ...{ GITHUB_ENV: environment, GITHUB_OUTPUT: output, GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1.0.0" },
      ...{ CURL_CA_BUNDLE: modfront.certificate.cert, NODE_EXTRA_CA_CERTS: modfront.certificate.cert },
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "r3quest-token",
      ...{ MODFRONT_URL: modfront.process.url, MODFRONT_AUDIENCE: "modfront", MODFRONT_DIRECTORY: "." },
      ...more,
    },
  });
  const [stdout, stderr, [code]] = await Promise.all([text(script.stdout), text(script.stderr), once(script, "close")]);
  assert.deepEqual(
    readdirSync(temporary).sort(),
    ["environment", "output"],
    "nothing is left for the steps that follow",
  );
  assert.equal(readFileSync(environment, "utf8"), "");
  return { code, stdout, stderr, output: readFileSync(output, "utf8") };
}

test("a job for a tag publishes it, and the real go builds with it", { skip }, async () => {
  const first = await step();
  assert.equal(first.code, 0, first.stderr);
  const lines = first.stdout.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  const [, sum = ""] = /^corp\.example\/lib v1\.0\.0 (h1:\S+)$/m.exec(first.stdout) ?? [];
  assert.equal(lines.at(-2), "go get corp.example/lib@v1.0.0");
  assert.equal(first.output, `module=corp.example/lib\nversion=v1.0.0\nsum=${sum}\n`);
  assert.match(first.stderr, /^corp\.example\/lib@v1\.0\.0 is published$/m);
  // A job that is run again, and the whole name of a tag.
  assert.match(
    (await step({ MODFRONT_TAG: "v1.0.0", GITHUB_REF_TYPE: "branch" })).stderr,
    /was published before, with the same bytes/,
  );
  const below = await step({ GITHUB_REF_NAME: "sub/v1.0.0", MODFRONT_URL: `${modfront.process.url}/` });
  assert.match(below.output, /^module=corp\.example\/lib\/sub\nversion=v1\.0\.0\n/, below.stderr);

  const gosumdb = await modfront.token();
  const answer = await modfront
    .machine({ proxy: modfront.process.url, netrc: `machine ${modfront.host} login x password ${gosumdb}\n` })
    .go("mod", "download", "-json", "corp.example/lib@v1.0.0");
  assert.equal(JSON.parse(answer.stdout).Sum, sum, answer.stderr);
});

test("what gorelease says of a module is no command to the runner", { skip }, async () => {
  const programs = modfront.path("programs");
  mkdirSync(programs);
  const says =
    "::set-env name=PATH::x\n##[add-path]x\nInferred base version: v1.0.0\nv1.0.0 is a valid semantic version for this release.";
  // go build -o FILE …: what it builds says that.
  const go = `#!/bin/sh\n[ "$1" = build ] || exit 0\nprintf '#!/bin/sh\\ncat %s\\n' "${programs}/says" >"$3"\nchmod +x "$3"\n`;
  writeFileSync(join(programs, "says"), `${says}\n`);
  writeFileSync(join(programs, "go"), go, { mode: 0o755 });
  const { code, stderr } = await step({ MODFRONT_API: "true", PATH: `${programs}:${path}` });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^ ::set-env name=PATH::x\n##add-path\]x\nInferred base version: v1\.0\.0\n/);
});

test("whatever goes wrong ends the step in words, and nothing is set or shown", { skip }, async () => {
  const oldNode = modfront.path("old-node");
  mkdirSync(oldNode);
  writeFileSync(join(oldNode, "node"), "#!/bin/sh\necho v22.18.0\n", { mode: 0o755 });
  const rows: readonly (readonly [said: RegExp, environment: Record<string, string>])[] = [
    [/this job is not for a tag/, { GITHUB_REF_TYPE: "branch" }],
    [/tag and version are two ways/, { MODFRONT_TAG: "v1.0.0", MODFRONT_VERSION: "v1.0.0" }],
    [/there is no tag v9\.0\.0/, { GITHUB_REF_NAME: "v9.0.0" }],
    [/is no version/, { GITHUB_REF_NAME: "main" }],
    [/is no version/, { GITHUB_REF_NAME: "--url=https://evil.example" }],
    [/is no version/, { MODFRONT_VERSION: "v1.0.0\n::add-mask::x" }],
    [/go\.mod is not in evil\/v1\.0\.0/, { GITHUB_REF_NAME: "evil/v1.0.0" }],
    [/is no folder/, { MODFRONT_DIRECTORY: "nowhere" }],
    [/permissions: \{ id-token: write/, { ACTIONS_ID_TOKEN_REQUEST_URL: "" }],
    [/answered 401: .*aud/, { MODFRONT_AUDIENCE: "https://other.example" }],
    [/node is v22\.18\.0 and is to be 24 or newer/, { PATH: `${oldNode}:${path}` }],
  ];
  for (const [said, environment] of rows) {
    const { code, stdout, stderr, output } = await step(environment);
    const row = JSON.stringify(environment);
    assert.notEqual(code, 0, row);
    assert.match(stderr, said, row);
    assert.equal(output, "", row);
    const shown = (stdout + stderr).replace(/^::add-mask::.*\n/gm, "");
    assert.ok(!/eyJ|mf_|r3quest|##\[|^::/m.test(shown), row + shown);
  }
});

test("the action hands its inputs to the script, under the names that it reads", () => {
  const action = readFileSync(join(root, "action/publish/action.yml"), "utf8");
  const script = readFileSync(join(root, "action/publish/publish.sh"), "utf8");
  const names = (text: string, what: RegExp) => [...new Set([...text.matchAll(what)].map(([, name]) => name))].sort();
  const declared = names(action.slice(action.indexOf("inputs:"), action.indexOf("outputs:")), /^ {2}(\w+):$/gm);
  assert.deepEqual(declared, ["api", "audience", "directory", "tag", "url", "version"]);
  assert.deepEqual(names(action, /\$\{\{ inputs\.(\w+) \}\}/g), declared);
  const given = names(action, /^ {8}(MODFRONT_\w+):/gm);
  assert.deepEqual(given, [...names(script, /\$\{(MODFRONT_(?!TOKEN)\w+)/g), "MODFRONT_AUDIENCE"].sort());
  assert.match(action, /bash "\$GITHUB_ACTION_PATH\/publish\.sh"/);
});
