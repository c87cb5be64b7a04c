import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { CredentialRule } from "../../../lambda/upstream/credentials/configured-credentials.ts";
import type { CredentialReads, SetCredential } from "../../../lambda/upstream/credentials/credential-store.ts";
import type { Credentials } from "../../../lambda/upstream/credentials/credentials.ts";
import type { SendApiRequest } from "../../../lambda/upstream/credentials/installation-tokens.ts";
import { openCredentials } from "../../../lambda/upstream/credentials/open-credentials.ts";
import { Secret } from "../../../lambda/upstream/credentials/secret.ts";

import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import type { RepositoriesParts } from "../../../lambda/upstream/http/upstreams-options.ts";

// What is shown to whom, of what the configuration says and what was set since.

function set(tenant: string, match: string, secret: string, request = secret): SetCredential {
  return { tenant, match, kind: "bearer", secret, changed: 1, request };
}

class MemoryReads implements CredentialReads {
  all: readonly SetCredential[];

  constructor(all: readonly SetCredential[]) {
    this.all = all;
  }

  async readAll(): Promise<readonly SetCredential[]> {
    return this.all;
  }

  hasOwn(tenant: string): boolean {
    return this.all.some((each) => each.tenant === tenant);
  }
}

function open(
  store: MemoryReads,
  {
    tenant,
    configured = [],
    send,
  }: { tenant?: string; configured?: readonly [string, string][]; send?: SendApiRequest },
): Credentials {
  const rules = configured.map(([match, env]) => ({ match, kind: "bearer", secret: { env } }) satisfies CredentialRule);
  const secrets = rules.map(
    (rule) =>
      new Secret(
        "",
        rule.secret,
        async () => rule.secret.env,
        () => 0,
      ),
  );
  const none: SendApiRequest = async () => assert.fail("nothing is to be asked");
  return openCredentials({ rules, secrets, set: store, now: () => 0 })(send ?? none, tenant);
}

const shown = async (credentials: Credentials, url: string) =>
  (await credentials.authorize(new URL(url)))?.header.replace("Bearer ", "");

test("a tenant's own goes first, then the longest path of all others, then what was set", async () => {
  const store = new MemoryReads([
    ...[set("", "git.example", "org"), set("", "git.example/team", "org-team"), set("", "own.example", "org-own")],
    ...[set("pay", "git.example/team/pay", "pay"), set("pay", "own.example", "pay-own")],
  ]);
  const configured: [string, string][] = [
    ["git.example/team/pay", "configured-pay"],
    ["git.example/team", "configured-team"],
    ["other.example", "configured-other"],
  ];
  const rows: readonly (readonly [url: string, pay: string | undefined, others: string | undefined])[] = [
    ["https://git.example/x", "org", "org"],
    ["https://git.example/team/x", "org-team", "org-team"],
    ["https://git.example/team/pay.git/info/refs", "pay", "configured-pay"],
    ["https://git.example/team/payments", "org-team", "org-team"],
    ["https://own.example/x", "pay-own", "org-own"],
    ["https://other.example/x", "configured-other", "configured-other"],
    ["https://git.example:8443/x", undefined, undefined],
    ["https://unknown.example/x", undefined, undefined],
  ];
  for (const [url, pay, others] of rows) {
    assert.equal(await shown(open(store, { tenant: "pay", configured }), url), pay, url);
    for (const tenant of ["hr", ""]) assert.equal(await shown(open(store, { tenant, configured }), url), others, url);
  }
});

test("a change is shown next, and whoever was refused asks again only where there was one", async () => {
  const store = new MemoryReads([set("", "git.example", "old")]);
  const credentials = open(store, {});
  const url = new URL("https://git.example/x");
  const first = await credentials.authorize(url);
  assert.equal(await first?.renew(), false);
  store.all = [set("", "git.example", "new")];
  assert.equal(await first?.renew(), true);
  assert.equal(await shown(credentials, url.href), "new");
  store.all = [];
  assert.equal(await shown(credentials, url.href), undefined);
});

test("a GitHub App's token outlives a change of something else, and not its own", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const secret = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const app = { ...set("pay", "github.com", secret, "1"), kind: "github-app", user: "77" } as const;
  let tokens = 0;
  const send: SendApiRequest = async ({ url }) => {
    if (url.pathname.endsWith("/access_tokens"))
      return {
        status: 201,
        headers: {},
        text: JSON.stringify({ token: `t${++tokens}`, expires_at: "1970-01-01T01:00:00Z" }),
      };
    return { status: 200, headers: {}, text: JSON.stringify({ id: 5 }) };
  };
  const store = new MemoryReads([app]);
  const credentials = open(store, { tenant: "pay", send });
  const ask = () => shown(credentials, "https://github.com/pay/repo");
  const first = await ask();
  store.all = [app, set("hr", "github.com", "x")];
  assert.equal(await ask(), first);
  store.all = [{ ...app, request: "2" }];
  assert.notEqual(await ask(), first);
  assert.equal(tokens, 2);
});

test("a credential that was set makes no host trusted, and is shown over https alone; a tenant's modules have a pool of their own", async (t) => {
  const store = new MemoryReads([set("pay", "git.inside.example", "pay"), set("", "git.inside.example", "org")]);
  const opened: RepositoriesParts[] = [];
  const upstreams = openUpstreams(
    {
      upstreams: [{ patterns: ["pay.example,hr.example"], chain: "direct" }],
      ...{ private: ["pay.example", "hr.example"], allowHosts: [] },
    },
    {
      ...{ now: () => 0, version: "1" },
      credentials: openCredentials({ rules: [], secrets: [], set: store, now: () => 0 }),
      tenantOf: (module) => (module.startsWith("pay.example/") ? "pay" : undefined),
      repositories: (parts) => {
        opened.push(parts);
        return { upstream: { name: "direct", get: async () => assert.fail() }, close: async () => {} };
      },
    },
  );
  t.after(() => upstreams.close());
  const direct = (module: string) => upstreams.chainFor(module).steps[0]?.upstream;
  const pay = direct("pay.example/a");
  const hr = direct("hr.example/a");
  assert.equal(direct("pay.example/b"), pay);
  assert.notEqual(pay, hr);
  const [ofPay, ofHr] = opened;
  assert.equal(opened.length, 2);
  assert.notEqual(ofPay?.client, ofHr?.client);
  const inside = new URL("https://git.inside.example/x");
  const plain = new URL("http://git.inside.example/x");
  for (const [parts, secret] of [
    [ofPay, "pay"],
    [ofHr, "org"],
  ] as const) {
    assert.ok(parts);
    assert.deepEqual([parts.hosts.has(inside), parts.hosts.isNamed(plain)], [false, false]);
    assert.equal(await shown(parts.credentials, inside.href), secret);
    assert.equal(await parts.credentials.authorize(plain), undefined);
  }
});
