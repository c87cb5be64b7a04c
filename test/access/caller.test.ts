import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCaller } from "../../lambda/access/caller.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { signIdentity } from "../../lambda/edge/identity.ts";
import type { RouteName } from "../../lambda/edge/routes.ts";
import { anonymous, type Identity } from "../../lambda/edge/token.ts";

const key = "k".repeat(43);
const gate = {
  identityKeys: [key],
  access: { anonymous: "public", private: "corp.example" },
  now: () => 1000,
} as const;
const viewer: Identity = { id: "abc123", role: "viewer", subject: "s", modules: "corp.example/a" };

test("a Lambda answers who came through the edge, and decides again", () => {
  const rows: readonly (readonly [
    identity: Identity | undefined,
    route: RouteName,
    module: string | undefined,
    refusal: RegExp | undefined,
  ])[] = [
    [viewer, "list", "corp.example/a", undefined],
    [viewer, "list", "golang.org/x/mod", undefined],
    [viewer, "zip", "corp.example/b", /may not see/],
    [viewer, "site", undefined, undefined], // what its role may the row decides
    [anonymous, "list", "golang.org/x/mod", undefined],
    [anonymous, "sumdb", "corp.example/a", /may not see/],
    [undefined, "list", "golang.org/x/mod", /only through the edge/],
    [undefined, "site", undefined, /only through the edge/],
  ];
  for (const [identity, route, module, refusal] of rows) {
    const header = identity && signIdentity(identity, key, 1000, hmac);
    const check = () => checkCaller(header, route, module, gate);
    if (refusal === undefined) assert.equal(check().id, identity?.id);
    else assert.throws(check, { code: "forbidden", message: refusal });
  }
});
