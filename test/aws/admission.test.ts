import assert from "node:assert/strict";
import { test } from "node:test";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { hmac } from "../../lambda/access/hmac.ts";
import { createApiHandler } from "../../lambda/aws/api-handler.ts";
import { IdentityKeys } from "../../lambda/aws/identity-keys.ts";
import { signIdentity } from "../../lambda/edge/identity.ts";
import { type RouteName, routes } from "../../lambda/edge/routes.ts";
import { anonymous, type Identity, nobody } from "../../lambda/edge/token.ts";
import type { HttpHandler } from "../../lambda/http/handler.ts";
import { textAnswer } from "../../lambda/http/probes.ts";
import { siteHandler } from "../../lambda/http/site.ts";
import type { Handlers } from "../../lambda/http/stack.ts";
import { siteRows } from "../support/judgement.ts";
import { invocationOf } from "../support/through-stack.ts";

// The second look at who asks, as every function behind the API takes it.

const key = "k".repeat(43);
const now = 1_800_000_000;

/** The gate before handlers that would answer anybody: with who asked, or nobody. */
function functionOf({ anonymous: mode = "none", secret = () => JSON.stringify({ identityKey: key }) } = {}) {
  const lines: string[] = [];
  const answer: HttpHandler = async ({ identity }) => textAnswer(`${identity.id || "nobody"}`);
  const access = { anonymous: mode as "none", private: "corp.example" };
  const rows = siteRows.map((row) => ({ ...row, handler: answer }));
  const protocol = Object.fromEntries(Object.keys(routes).map((route) => [route, answer]));
  const handlers: Handlers = { ...protocol, site: siteHandler(rows, access) };
  const time = { seconds: now };
  const call = createApiHandler({
    begin: () => {},
    name: "test",
    handlers,
    identityKeys: new IdentityKeys(
      async () => secret(),
      () => time.seconds * 1000,
    ),
    access,
    now: () => time.seconds * 1000,
    traceId: () => undefined,
    version: "7",
    write: (line) => lines.push(line),
  });
  const ask = async (route: RouteName, path: string, header: string | undefined) => {
    const event = {
      rawPath: `/${route}${path}`,
      headers: header === undefined ? {} : { "x-modfront-identity": header },
      requestContext: { requestId: "r", http: { method: "GET" } },
    } as unknown as APIGatewayProxyEventV2;
    const { statusCode, body = "" } = await call(event, invocationOf());
    return `${statusCode} ${Buffer.from(body, "base64")}`.trim();
  };
  return { ask, lines, time };
}

function signed(identity: Identity, at = now, by = key): string {
  return signIdentity(identity, by, at, hmac);
}

const viewer: Identity = { id: "abc123", role: "viewer", subject: "gopher", modules: "corp.example/a" };

function pathOf(route: RouteName, module: string): string {
  if (route === "sumdb") return `/sumdb/sum.golang.org/lookup/${module}@v1.0.0`;
  if (route === "list") return `/${module}/@v/list`;
  if (route === "latest") return `/${module}/@latest`;
  if (route === "info" || route === "mod" || route === "zip") return `/${module}/@v/v1.0.0.${route}`;
  return "/-/live";
}

const ofModules = Object.keys(routes) as RouteName[];
const all: readonly RouteName[] = [...ofModules, "site"];

test("no function answers a request that did not come through the edge just now, on any route", async () => {
  const { ask, lines } = functionOf({ anonymous: "all" });
  const strangers = {
    absent: undefined,
    empty: "",
    invented: `["abc123","admin",${now + 50},"s","*"].${"x".repeat(43)}`,
    "signed with another key": signed(anonymous, now, "z".repeat(43)),
    "of a minute ago": signed(anonymous, now - 60),
  };
  for (const route of all) {
    for (const [what, header] of Object.entries(strangers)) {
      const said = await ask(route, pathOf(route, "golang.org/x/mod"), header);
      assert.equal(said, "403 this address answers only through the edge", `${route} ${what}`);
    }
    assert.equal(await ask(route, pathOf(route, "golang.org/x/mod"), signed(anonymous)), "200 nobody", route);
  }
  assert.ok(!lines.join("").includes("x".repeat(43)), "the header is in no line");
});

test("what the edge should not have let through is refused, on every route of modules", async () => {
  assert.deepEqual(ofModules, ["sumdb", "list", "latest", "info", "mod", "zip"]);
  const open = functionOf({ anonymous: "public" });
  const closed = functionOf();
  const refused = "403 whoever asks may not see this";
  for (const route of ofModules) {
    const rows = [
      [closed, "corp.example/a/b", viewer, "200 abc123"],
      [closed, "golang.org/x/mod", viewer, "200 abc123"],
      [closed, "corp.example/b", viewer, refused],
      [closed, "golang.org/x/mod", anonymous, refused],
      [open, "golang.org/x/mod", anonymous, "200 nobody"],
      [open, "corp.example/a", anonymous, refused],
    ] as const;
    for (const [{ ask }, module, identity, expected] of rows) {
      assert.equal(await ask(route, pathOf(route, module), signed(identity)), expected, `${route} ${module}`);
    }
  }
});

test("what a role may under /-/ is decided here, in the words of the edge", async () => {
  const { ask } = functionOf();
  const operator = { ...viewer, role: "operator" } as const;
  const rows = [
    ["/-/metrics", operator, "200 abc123"],
    ["/-/metrics", viewer, "403 token abc123 has the role viewer, which may not do this"],
    [
      "/-/metrics",
      anonymous,
      "401 this needs a modfront token, as the password with any user name: see go help goauth",
    ],
    ["/-/metrics", nobody("expired"), "401 this token has expired"],
    ["/-/metrics", nobody("unchecked"), "503 modfront cannot check access at the moment"],
    ["/-/page", viewer, "200 abc123"],
    ["/-/page", nobody("revoked"), "401 this token was revoked"],
    ["/-/live", nobody("revoked"), "200 nobody"],
    ["/-/other", operator, "404 this is not a path of the module proxy protocol"],
  ] as const;
  for (const [path, identity, said] of rows) assert.equal(await ask("site", path, signed(identity)), said, path);
});

test("a rotated key is taken without a restart, the one before it for as long as the secret has it", async () => {
  let secret = JSON.stringify({ identityKey: key });
  const { ask, time } = functionOf({ secret: () => secret });
  const next = "n".repeat(43);
  const live = (by: string) => ask("site", "/-/live", signed(anonymous, time.seconds, by));
  assert.equal(await live(key), "200 nobody");
  secret = JSON.stringify({ identityKey: next, previousIdentityKey: key });
  time.seconds += 11;
  assert.equal(await live(next), "200 nobody");
  assert.equal(await live(key), "200 nobody");
  secret = JSON.stringify({ identityKey: next });
  time.seconds += 11;
  assert.equal(await live("z".repeat(43)), "403 this address answers only through the edge");
  assert.equal(await live(key), "403 this address answers only through the edge");
});

test("nobody is let in while the keys cannot be read", async () => {
  const { ask } = functionOf({
    anonymous: "all",
    secret: () => {
      throw new Error("the text of AWS");
    },
  });
  const said = await ask("list", "/golang.org/x/mod/@v/list", signed(viewer));
  assert.equal(said, "500 modfront failed; its log says why");
});
