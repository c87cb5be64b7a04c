import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathWithModfront, runCli } from "../../support/cli.ts";
import { eventually } from "../../support/eventually.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip, type Visit } from "../../support/guarded-modfront.ts";
import { TlsFront } from "../../support/tls-front.ts";
import { idOf } from "../../support/tokens.ts";

// The ways in which the real go command carries a token, to npm start over TLS with tokens required, directly and
// through a cold miss that redirects.

let modfront: GuardedModfront;
let front: TlsFront;

before(async () => {
  if (skip !== false) return;
  modfront = await GuardedModfront.start();
  modfront.script("corp.example/m", "v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0", "v1.5.0");
  front = await TlsFront.start(modfront.process.url, modfront.certificate, { redirect: true });
});

after(async () => {
  if (skip !== false) return;
  await front[Symbol.asyncDispose]();
  await modfront[Symbol.asyncDispose]();
});

/** A person who has logged in with the real CLI, and the program `modfront` on their PATH. */
async function loggedIn(host: string, token: string): Promise<Visit> {
  const home = modfront.path(`home-${host.replace(/\W/g, "-")}`);
  const environment = {
    XDG_CONFIG_HOME: join(home, "config"),
    PATH: pathWithModfront(home),
    NODE_EXTRA_CA_CERTS: modfront.certificate.cert,
  };
  const login = await runCli(["login", `https://${host}`], { input: `${token}\n`, environment });
  assert.equal(login.code, 0, login.stderr);
  assert.match(
    login.stderr,
    /^the token for .* is kept.*\n {2}go env -w GOPROXY=https:\S+ GOSUMDB=\S+ GOAUTH='modfront credential'\n$/,
    "the server was asked whether it takes the token",
  );
  return { proxy: `https://${host}`, environment: { ...environment, GOAUTH: "modfront credential" } };
}

type Way = (host: string, token: string) => Visit | Promise<Visit>;

const ways: Readonly<Record<string, Way>> = {
  netrc: (host, token) => ({ proxy: `https://${host}`, netrc: `machine ${host} login any password ${token}\n` }),
  url: (host, token) => ({ proxy: `https://any:${token}@${host}` }),
  goauth: loggedIn,
};

test("netrc, the URL and GOAUTH carry the token of the real go command", { skip }, async () => {
  const token = await modfront.token();
  for (const [i, [name, way]] of Object.entries(ways).entries()) {
    const machine = modfront.machine(await way(modfront.host, token));
    const { code, stderr } = await machine.go("mod", "download", `corp.example/m@v1.${i}.0`);
    assert.equal(code, 0, `${name}: ${stderr}`);
  }
});

test("they survive a cold miss that redirects to its own path", { skip }, async () => {
  const token = await modfront.token();
  for (const [i, [name, way]] of Object.entries(ways).entries()) {
    const visit = await way(front.host, token);
    front.requests.length = 0;
    const { code, stderr } = await modfront.machine(visit).go("mod", "download", `corp.example/m@v1.${i + 3}.0`);
    assert.equal(code, 0, `${name}: ${stderr}`);
    const file = `/corp.example/m/@v/v1.${i + 3}.0`;
    const expected = ["info", "mod", "zip"].flatMap((kind) => [`${file}.${kind}`, `${file}.${kind}?wait=1`]);
    assert.deepEqual(front.requests.map(({ target }) => target).sort(), expected, name);
    for (const { authorization = "" } of front.requests) {
      const pair = Buffer.from(authorization.replace("Basic ", ""), "base64").toString();
      assert.equal(pair.slice(pair.indexOf(":") + 1), token, name);
    }
  }
});

test("without a login, or with a token that was revoked, go says what the server says", { skip }, async () => {
  const token = await modfront.token();
  const visit = await loggedIn(modfront.host, token);
  const login = (kept: string) =>
    runCli(["login", visit.proxy], { input: kept, environment: { ...visit.environment } });
  assert.equal((await runCli(["token", "revoke", idOf(token), "--data", modfront.data])).code, 0);
  // A running server learns of it within a second.
  await eventually(async () => (await login(`${token}\n`)).code !== 0);
  const rows = [
    [visit, /401 Unauthorized.*this token was revoked/s],
    [{ proxy: visit.proxy }, /401 Unauthorized.*needs a modfront token/s],
  ] as const;
  for (const [way, said] of rows) {
    const { code, stderr } = await modfront.machine(way).go("mod", "download", "corp.example/m@v1.0.0");
    assert.equal(code, 1);
    assert.match(stderr, said);
  }
  const refused = await login("mf_e30.".padEnd(50, "x"));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refuses it: this token is not valid here/);
});
