import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { TokenState } from "../../lambda/access/token-state.ts";
import { createToken, revokeToken, rotateKey } from "../../lambda/access/tokens.ts";
import { type Anonymous, readAccess, readTokens } from "../../lambda/edge/access-settings.ts";
import { denial, knownTo, readDenial, readers } from "../../lambda/edge/permit.ts";
import { routes } from "../../lambda/edge/routes.ts";
import type { Role } from "../../lambda/edge/token.ts";
import { judge, siteRows } from "../support/judgement.ts";
import { basic, edgeContext, edgeValues, MemoryTokenStore } from "../support/tokens.ts";

const start = 1_800_000_000;
const now = start + 5 * 86_400;
const privatePatterns = "corp.example,github.com/Corp/*";

/** What a row of the route table promises, spelt out here so that a change there must be made twice. */
type Promised = "everyone" | "operators" | "readers";

const promises: Readonly<Record<string, Promised>> = {
  live: "everyone",
  ready: "everyone",
  metrics: "operators",
  gosumdb: "readers",
  page: "readers",
  sumdb: "readers",
  list: "readers",
  latest: "readers",
  info: "readers",
  mod: "readers",
  zip: "readers",
};

/** What is asked for: nothing in particular, a public module, a private one that the token covers or does not. */
type Wanted = "nothing" | "public" | "covered" | "uncovered";

const modules: Readonly<Record<Exclude<Wanted, "nothing">, string>> = {
  public: "golang.org/x/mod",
  covered: "github.com/!corp/tool/v2",
  uncovered: "corp.example/secret",
};

function targets(route: string): Partial<Record<Wanted, string>> {
  const each = (path: (module: string) => string) => ({
    public: path(modules.public),
    covered: path(modules.covered),
    uncovered: path(modules.uncovered),
  });
  if (route === "list") return each((module) => `/${module}/@v/list`);
  if (route === "latest") return each((module) => `/${module}/@latest`);
  if (route === "info" || route === "mod" || route === "zip") return each((module) => `/${module}/@v/v1.0.0.${route}`);
  if (route !== "sumdb") return { nothing: route === "page" ? "/" : `/-/${route}` };
  const lookup = (module: string) => `/sumdb/sum.golang.org/lookup/${module}@v1.0.0`;
  return { nothing: "/sumdb/sum.golang.org/latest", ...each(lookup) };
}

const states = ["none", "malformed", "expired", "revoked", "wrong key", "dropped key", "old key", "valid"] as const;
type State = (typeof states)[number];
const roles: readonly Role[] = ["viewer", "publisher", "operator", "admin"];

/** The outcome that docs/security.md promises: a status, or "go" for a request that may go on. */
function expected(promise: Promised, mode: Anonymous, wanted: Wanted, role: Role, state: State): number | "go" {
  if (promise === "everyone" || mode === "all") return "go";
  const isPrivate = wanted === "covered" || wanted === "uncovered";
  if (state !== "valid" && state !== "old key") {
    return mode === "public" && promise === "readers" && !isPrivate ? "go" : 401;
  }
  if (promise === "operators") return role === "operator" || role === "admin" ? "go" : 403;
  return wanted === "uncovered" ? 403 : "go";
}

const tokens = new Map<string, string>();
let state: TokenState;

before(async () => {
  const store = new MemoryTokenStore();
  const foreign = new MemoryTokenStore();
  const create = async (role: Role, label: State, days: number, where = store) => {
    const request = { subject: "gopher@corp.example", role, modules: "github.com/Corp", days };
    const { token, record } = await createToken(where, request, start);
    tokens.set(`${role} ${label}`, token);
    return record.id;
  };
  for (const role of roles) await create(role, "dropped key", 9);
  await rotateKey(store, { dropOld: true });
  for (const role of roles) await create(role, "old key", 9);
  await rotateKey(store, { dropOld: false });
  for (const role of roles) {
    await create(role, "valid", 9);
    await create(role, "expired", 5); // at this very second
    await revokeToken(store, await create(role, "revoked", 9), start);
    await create(role, "wrong key", 9, foreign);
    tokens.set(`${role} malformed`, "mf_e30.e30");
  }
  state = store.state;
});

test("every route of the protocol and every row of the site has its promise", () => {
  const names = [...Object.keys(routes), ...siteRows.map(({ name }) => name)];
  assert.deepEqual(names.toSorted(), Object.keys(promises).toSorted());
});

test("role × route × module × token state × access.anonymous", async () => {
  let checked = 0;
  for (const mode of ["none", "public", "all"] as const) {
    const context = edgeContext({ anonymous: mode, private: privatePatterns }, state, now);
    for (const route of Object.keys(promises)) {
      for (const [wanted, target] of Object.entries(targets(route)) as [Wanted, string][]) {
        for (const role of roles) {
          for (const label of states) {
            const token = tokens.get(`${role} ${label}`);
            const credentials = token === undefined ? undefined : basic(token);
            const judgement = await judge({ method: "GET", path: target, credentials }, context);
            const outcome = judgement.kind === "refusal" ? judgement.status : "go";
            const row = `${mode} ${route} ${wanted} ${role} ${label}`;
            assert.equal(outcome, expected(promises[route] ?? "readers", mode, wanted, role, label), row);
            checked++;
          }
        }
      }
    }
  }
  assert.equal(checked, 3 * 4 * states.length * (5 * 1 + 5 * 3 + 4));
});

test("a refusal is one clear line, and 401 asks for Basic credentials", async () => {
  const context = edgeContext({ anonymous: "none", private: privatePatterns }, state, now);
  const refusal = async (label: State, path = "/golang.org/x/mod/@v/list") => {
    const token = tokens.get(`viewer ${label}`);
    const credentials = token === undefined ? undefined : basic(token);
    const decision = await judge({ method: "GET", path, credentials }, context);
    if (decision.kind !== "refusal") return assert.fail("was let in");
    const { "www-authenticate": challenge, ...headersSent } = decision.headers;
    assert.deepEqual(headersSent, {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    assert.equal(challenge, decision.status === 401 ? 'Basic realm="modfront"' : undefined);
    assert.match(decision.body, /^[^\n]{10,120}\n$/);
    return `${decision.status} ${decision.body.replace(/token [0-9a-z]{16} /, "token ID ")}`;
  };
  assert.equal(
    await refusal("none"),
    "401 this needs a modfront token, as the password with any user name: see go help goauth\n",
  );
  assert.equal(
    await refusal("malformed"),
    "401 these credentials are not a modfront token: it is the password, with any user name\n",
  );
  assert.equal(await refusal("wrong key"), "401 this token is not valid here\n");
  assert.equal(await refusal("expired"), "401 this token has expired\n");
  assert.equal(await refusal("revoked"), "401 this token was revoked\n");
  assert.equal(
    await refusal("valid", "/corp.example/secret/@v/list"),
    "403 token ID does not cover this private module: ask whoever issued it for one that does\n",
  );
  assert.equal(await refusal("valid", "/-/metrics"), "403 token ID has the role viewer, which may not do this\n");
});

test("the token is the password of Basic credentials or a Bearer token, and the identity goes on", async () => {
  const context = edgeContext({ anonymous: "none", private: privatePatterns }, state, now);
  const token = tokens.get("publisher valid") ?? "";
  const rows: readonly (readonly [authorization: string | string[], accepted: boolean])[] = [
    [basic(token), true],
    [basic(token, ""), true],
    [basic(token, "ünïcödé 世"), true],
    [basic(token).replace("Basic", "bAsIc"), true],
    [basic(token).replace(/=+$/, ""), true],
    [`Bearer ${token}`, true],
    [`Bearer  ${token}`, true],
    [basic(token, "user:name"), false], // a user name ends at the first colon
    [basic(`${token} `), false],
    [basic(token.slice(0, -1)), false],
    [basic(token.toUpperCase()), false],
    [`Bearer ${token} `, false],
    [`Bearer ${token}, Bearer ${token}`, false],
    [[basic(token)], false],
    [[basic(token), basic(token)], false],
    [token, false],
    [`Digest ${token}`, false],
    ["", false],
  ];
  for (const [authorization, accepted] of rows) {
    const request = { method: "GET", path: "/github.com/!corp/x/@v/list", credentials: authorization };
    const decision = await judge(request, context);
    if (!accepted) {
      assert.equal(decision.kind === "refusal" && decision.status, 401, `${authorization}`);
      continue;
    }
    assert.equal(decision.kind, "forward", `${authorization}`);
    if (decision.kind !== "forward") continue;
    assert.match(decision.identity.id, /^[0-9a-z]{16}$/);
    assert.equal(decision.identity.role, "publisher");
    assert.equal(decision.identity.subject, "gopher@corp.example");
    assert.equal(decision.identity.modules, "github.com/Corp");
  }
});

test("what cannot be read lets nobody in who needs to be looked at", async () => {
  const good = edgeContext({ anonymous: "public", private: privatePatterns }, state, now);
  const authorization = basic(tokens.get("admin valid") ?? "");
  const broken = [undefined, "", "null", "[]", "{", '{"keys":[],"identityKey":""}', '{"anonymous":"every"}', "1"];
  const shortKey = JSON.stringify({ keys: [""], identityKey: "k".repeat(43), revoked: "" });
  const status = async (name: "access" | "tokens", value: string | undefined, path: string) => {
    const broken = name === "access" ? () => readAccess(value) : () => readTokens(value);
    const keyValues = { ...good.keyValues, [name]: broken };
    const decision = await judge({ method: "GET", path, credentials: authorization }, { ...good, keyValues });
    return decision.kind === "refusal" ? decision.status : "go";
  };
  for (const value of broken) {
    assert.equal(await status("access", value, "/golang.org/x/mod/@v/list"), 503, value);
    assert.equal(await status("access", value, "/-/live"), "go", value);
    assert.equal(await status("tokens", value, "/github.com/!corp/x/@v/list"), 503, value);
    assert.equal(await status("tokens", value, "/golang.org/x/mod/@v/list"), "go", value); // public to everyone
  }
  assert.equal(await status("tokens", shortKey, "/github.com/!corp/x/@v/list"), 503);
  assert.equal(
    await status(
      "tokens",
      edgeValues({ anonymous: "none", private: "" }, state, now).get("tokens"),
      "/github.com/!corp/x/@v/list",
    ),
    "go",
  );
});

test("what the edge decides about the protocol without the table is the table's row for readers", () => {
  for (const mode of ["none", "public", "all"] as const) {
    const settings = { anonymous: mode, private: privatePatterns };
    for (const role of ["anonymous", ...roles] as const) {
      const identity = { id: "a", role, subject: "", modules: "github.com/Corp" };
      for (const module of [undefined, "golang.org/x/mod", "github.com/Corp/tool/v2", "corp.example/secret"]) {
        const row = `${mode} ${role} ${module}`;
        assert.equal(
          readDenial(settings, identity, module, knownTo(settings)),
          denial(readers, settings, identity, module),
          row,
        );
      }
    }
  }
});

test("a token that cannot be checked is 503 where it matters, under /-/ too", async () => {
  const context = edgeContext({ anonymous: "none", private: "" }, state, now);
  const keyValues = { ...context.keyValues, tokens: () => undefined };
  const credentials = basic(tokens.get("admin valid") ?? "");
  const status = async (path: string) => {
    const judgement = await judge({ method: "GET", path, credentials }, { ...context, keyValues });
    return judgement.kind === "refusal" ? judgement.status : "go";
  };
  assert.deepEqual([await status("/-/metrics"), await status("/"), await status("/-/live")], [503, 503, "go"]);
});
