import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip, type Visit } from "../support/guarded-modfront.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// The real go command in a channel, by name, by header and by its share, and what it says of a rewrite.

let modfront: GuardedModfront;
let next: ScriptedUpstream;

before(async () => {
  if (skip !== false) return;
  next = await ScriptedUpstream.start();
  const canary = {
    upstreams: [{ patterns: "corp.example", chain: next.url }],
    share: 0.5,
    header: { name: "X-Canary", value: "yes" },
    rewrite: [{ from: "go.dev/v1", to: "corp.example/v1" }],
  };
  modfront = await GuardedModfront.startWith({ channels: { canary } });
  modfront.script("corp.example/m", "v1.0.0");
  script("corp.example/m", "v1.0.0", "v1.1.0");
  script("corp.example/v1/tool", "v1.0.0");
});

after(async () => {
  if (skip !== false) return;
  await modfront[Symbol.asyncDispose]();
  await next.close();
});

/** Gives the channel's upstream a module. */
function script(path: string, ...versions: readonly string[]): void {
  for (const version of versions) {
    const module = moduleFixture(path, version);
    for (const kind of ["info", "mod", "zip"] as const) next.on(filePath(module, kind), { body: module[kind] });
  }
  next.on(`${versionsPath({ path })}/list`, { body: versions.map((version) => `${version}\n`).join("") });
}

/** Somebody whose point is below the middle, or above it. */
function subjectIn(half: "lower" | "upper"): string {
  for (let i = 0; ; i++) if (hmac("share", `person ${i}`) < "V" === (half === "lower")) return `person ${i}`;
}

/** How somebody comes, by default one who is not in the share. */
async function visit(path = "", half: "lower" | "upper" = "upper"): Promise<Visit> {
  const token = await modfront.token({ subject: subjectIn(half) });
  return { proxy: `https://any:${token}@${modfront.host}${path}` };
}

const versionsOf = async (way: Visit) => {
  const { code, stdout, stderr } = await modfront.machine(way).go("list", "-m", "-versions", "corp.example/m");
  assert.equal(code, 0, stderr);
  return stdout.trim();
};

const [old, canary] = ["corp.example/m v1.0.0", "corp.example/m v1.0.0 v1.1.0"];

test("GOPROXY names a channel, and a token is in its share or not, the next one of the same holder too", {
  skip,
}, async () => {
  assert.equal(await versionsOf(await visit()), old);
  assert.equal(await versionsOf(await visit("/~canary")), canary);
  for (let round = 0; round < 2; round++) {
    assert.equal(await versionsOf(await visit("", "lower")), canary);
    assert.equal(await versionsOf(await visit("", "upper")), old);
  }
  const fetched = await modfront.machine(await visit("/~canary")).go("mod", "download", "corp.example/m@v1.1.0");
  assert.equal(fetched.code, 0, fetched.stderr);
});

test("a header that go sends by GOAUTH chooses a channel", { skip }, async () => {
  const token = await modfront.token({ subject: subjectIn("upper") });
  const program = modfront.path("canary-auth");
  const lines = [`https://${modfront.host}`, "", `Authorization: Bearer ${token}`, "X-Canary: yes", "", ""];
  writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${lines.join("\n")}END\n`);
  chmodSync(program, 0o755);
  assert.equal(await versionsOf({ proxy: `https://${modfront.host}`, environment: { GOAUTH: program } }), canary);
});

test("an unknown channel ends a build with its line, and never goes on to the next proxy with a private name", {
  skip,
}, async () => {
  const { code, stderr } = await modfront
    .machine(await visit("/~typo"))
    .go("list", "-m", "-versions", "corp.example/m");
  assert.equal(code, 1);
  assert.match(stderr, /404 Not Found\n\tserver response: no such channel\n/);
});

test("behind a rewrite go lists versions, and refuses a go.mod that names another path: replace is for that", {
  skip,
}, async () => {
  const way = await visit("/~canary");
  const machine = modfront.machine(way);
  const listed = await machine.go("list", "-m", "-versions", "go.dev/v1/tool");
  assert.deepEqual([listed.code, listed.stdout], [0, "go.dev/v1/tool v1.0.0\n"], listed.stderr);
  const got = await machine.go("get", "go.dev/v1/tool@v1.0.0");
  assert.equal(got.code, 1);
  assert.equal(
    got.stderr,
    "go: downloading go.dev/v1/tool v1.0.0\n" +
      "go: zip for go.dev/v1/tool@v1.0.0 has unexpected file corp.example/v1/tool@v1.0.0/go.mod\n",
  );
  machine.write("go.mod", "module example.org/here\n\nrequire go.dev/v1/tool v1.0.0\n");
  const required = await machine.go("list", "-m", "all");
  assert.equal(required.code, 1);
  assert.equal(
    required.stderr,
    "go: go.dev/v1/tool@v1.0.0: parsing go.mod:\n" +
      "\tmodule declares its path as: corp.example/v1/tool\n" +
      "\t        but was required as: go.dev/v1/tool\n",
  );

  const replaced = modfront.machine(way);
  replaced.write(
    "go.mod",
    "module example.org/here\n\nrequire go.dev/v1/tool v1.0.0\n\nreplace go.dev/v1/tool => corp.example/v1/tool v1.0.0\n",
  );
  replaced.write("main.go", 'package main\n\nimport _ "go.dev/v1/tool"\n\nfunc main() {}\n');
  const built = await replaced.go("build", "-o", "/dev/null", ".");
  assert.equal(built.code, 0, built.stderr);
});
