import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { skipWithoutOpenssl as skip } from "../../support/certificate.ts";
import { runCli } from "../../support/cli.ts";
import { LoginWorld, printedCredential } from "../../support/login-world.ts";

// Machines that have ID tokens: in a pipe, a file, a variable, or printed by a command; read anew for each renewal.

/** What is looked at here only by the scripted server. */
function idToken(sub: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256" })}.${part({ sub })}.c2lnbmF0dXJl`;
}

test("ID tokens from a file, a variable and a command are read anew when a token is renewed", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  const { server } = world;
  const file = join(dirname(world.environment.NODE_EXTRA_CA_CERTS ?? ""), "id token");
  const command = `${process.execPath} -p process.env.CI_TOKEN`;
  const write = (token: string) => {
    writeFileSync(file, `${token}\n`);
    return {};
  };
  const rows: readonly (readonly [flag: string, value: string, put: (token: string) => Record<string, string>])[] = [
    ["--id-token-file", file, write],
    ["--id-token-env", "CI_TOKEN", (token) => ({ CI_TOKEN: token })],
    ["--id-token-command", command, (token) => ({ CI_TOKEN: token })],
  ];
  for (const [flag, value, put] of rows) {
    const before = server.subjects.length;
    const environment = (sub: string) => ({ ...world.environment, ...put(idToken(sub)) });
    const login = await runCli(["login", server.url, flag, value], { environment: environment("first") });
    assert.equal(login.code, 0, login.stderr);
    assert.match(login.stderr, /is kept and will be renewed/);
    world.age(500);
    const { stdout, stderr } = await runCli(["credential", `${server.url}/m`], { environment: environment("second") });
    assert.deepEqual([stdout, stderr], [printedCredential(server, before + 2), ""]);
    assert.deepEqual(server.subjects.slice(before), ["first", "second"], flag);
  }
});

test("an ID token that is piped in is exchanged once and not kept", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  const { code, stderr } = await world.run(["login", world.server.url, "--id-token"], `${idToken("piped")}\n`);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /is kept until 2/);
  assert.deepEqual(Object.keys(world.kept), ["token", "obtained", "expires"]);
  assert.deepEqual(world.server.subjects, ["piped"]);
});

test("what is no ID token is not sent, and nothing of it is said", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  const { server } = world;
  const rows: readonly (readonly [said: RegExp, input: string, ...flags: readonly string[]])[] = [
    [/what was read holds no ID token/, "pa55word", "--id-token"],
    [/what was read holds no ID token/, `${idToken("x")}\npa55word`, "--id-token"],
    [/what was read holds no ID token/, `pa55word.${"x".repeat(70_000)}.x`, "--id-token"],
    [/cannot be read/, "", "--id-token-file", "/nonexistent/pa55word"],
    [/the file holds no ID token/, "", "--id-token-file", world.environment.NODE_EXTRA_CA_CERTS ?? ""],
    [/NOTHING holds no ID token/, "", "--id-token-env", "NOTHING"],
    [/the command that prints an ID token fails/, "", "--id-token-command", `${process.execPath} -e throw"pa55word"`],
    [/the command that prints an ID token fails/, "", "--id-token-command", "/nonexistent/pa55word"],
    [/the command that prints an ID token fails/, "", "--id-token-command", ""],
    [/what the command prints holds no ID token/, "", "--id-token-command", "echo pa55word"],
    [/cannot be read/, "", "--cert", "/nonexistent/pa55word", "--key", "/nonexistent/key"],
  ];
  for (const [said, input, ...flags] of rows) {
    const { code, stderr } = await world.run(["login", server.url, ...flags], input);
    assert.equal(code, 1, flags.join(" "));
    assert.match(stderr, said);
    assert.ok(!stderr.includes("pa55word"), stderr);
  }
  assert.deepEqual(server.subjects, []);
});
