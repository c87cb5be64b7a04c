import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createToken } from "../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { runCli } from "../support/cli.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "../support/guarded-modfront.ts";
import { moduleFixture } from "../support/module-fixture.ts";

// The real go command gets a private module from an upstream that wants what a tenant's admin has just set, over HTTP.

const tenants = {
  pay: { modules: "corp.example/pay", admins: ["paula"] },
  hr: { modules: "corp.example/hr", admins: ["henry"] },
};
const secret = "what-only-the-upstream-knows";
const wanted = `Basic ${Buffer.from(`deploy-bot:${secret}`).toString("base64")}`;

let modfront: GuardedModfront;

before(async () => {
  if (skip !== false) return;
  modfront = await GuardedModfront.startWith({ tenants });
  modfront.upstream.otherwise(({ path, headers }) => {
    if (headers.authorization !== wanted) return { status: 401, body: `who is ${headers.authorization}?` };
    const [, name = "", version, kind] =
      /^\/corp\.example\/(\w+)\/m\/@v\/(?:(v[\d.]+)\.(info|mod|zip)|list)$/.exec(path) ?? [];
    if (name === "") return undefined;
    if (version === undefined) return { body: "v1.0.0\n" };
    return { body: moduleFixture(`corp.example/${name}/m`, version)[kind as "info" | "mod" | "zip"] };
  });
});

after(async () => {
  if (skip === false) await modfront[Symbol.asyncDispose]();
});

async function tokenOf(subject: string, modules: string): Promise<string> {
  const store = new SqliteTokenStore(modfront.data);
  const request = { subject, role: "viewer", modules, days: 1 };
  const options = { tenants: Object.keys(tenants) };
  const { token } = await createToken(store, request, Math.floor(Date.now() / 1000), options);
  store.close();
  return token;
}

test("go gets a tenant's module once its admin has set the credential, and nobody else's by it", { skip }, async () => {
  const [paula, henry] = [await tokenOf("paula", "@pay"), await tokenOf("henry", "@hr")];
  const machineOf = (token: string) =>
    modfront.machine({
      proxy: `https://${modfront.host}`,
      netrc: `machine ${modfront.host} login x password ${token}\n`,
    });
  const before = await machineOf(paula).go("mod", "download", "-json", "corp.example/pay/m@v1.0.0");
  assert.notEqual(before.code, 0);
  const match = `127.0.0.1:${modfront.upstream.port}`;
  const set = await runCli(["upstream", "set", match, "--user", "deploy-bot", "--url", `https://${modfront.host}`], {
    input: `${secret}\n`,
    environment: { MODFRONT_TOKEN: paula, NODE_EXTRA_CA_CERTS: modfront.certificate.cert },
  });
  assert.equal(set.code, 0, set.stderr);
  const mine = await machineOf(paula).go("mod", "download", "-json", "corp.example/pay/m@v1.0.0");
  assert.equal(mine.code, 0, mine.stdout + mine.stderr);
  assert.match(JSON.parse(mine.stdout).Sum, /^h1:/);
  const other = await machineOf(henry).go("mod", "download", "-json", "corp.example/hr/m@v1.0.0");
  assert.notEqual(other.code, 0);
  const told = [before, mine, other, set].map(({ stdout, stderr }) => stdout + stderr).join() + modfront.process.output;
  for (const each of [secret, wanted.slice("Basic ".length)]) assert.ok(!told.includes(each));
  const shown = modfront.upstream.requests.filter(({ path }) => path.includes("/hr/"));
  assert.ok(shown.length > 0 && shown.every(({ headers }) => headers.authorization === undefined));
});
