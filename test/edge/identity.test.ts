import assert from "node:assert/strict";
import { test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { signIdentity, verifyIdentity } from "../../lambda/edge/identity.ts";
import { anonymous, type Identity } from "../../lambda/edge/token.ts";

const key = "k".repeat(43);
const viewer: Identity = { id: "abc123", role: "viewer", subject: "a.b@c.d", modules: "a.b/*,c.d" };

test("the identity header is believed for a minute, under the key that signed it", () => {
  const header = signIdentity(viewer, key, 1000, hmac);
  const rows: readonly (readonly [
    why: string,
    header: string | string[] | undefined,
    keys: string[],
    now: number,
    believed: boolean,
  ])[] = [
    ["at once", header, [key], 1000, true],
    ["to the last second", header, [key], 1059, true],
    ["late", header, [key], 1060, false],
    ["the second key", header, ["o".repeat(43), key], 1000, true],
    ["another key", header, ["o".repeat(43)], 1000, false],
    ["no key", header, [], 1000, false],
    ["more rights", header.replace("viewer", "admin"), [key], 1000, false],
    ["a later end", header.replace("1060", "9060"), [key], 1000, false],
    ["no signature", header.slice(0, header.lastIndexOf(".")), [key], 1000, false],
    ["an empty one", header.slice(0, header.lastIndexOf(".") + 1), [key], 1000, false],
    [
      "a signature for something else",
      `["a","admin",9999,"",""].${hmac(key, '["a","admin",9999,"",""]')}`,
      [key],
      1000,
      false,
    ],
    ["empty", "", [key], 1000, false],
    ["absent", undefined, [key], 1000, false],
    ["twice", [header, header], [key], 1000, false],
  ];
  for (const [why, value, keys, now, believed] of rows) {
    assert.equal(verifyIdentity(value, keys, now, hmac)?.id, believed ? viewer.id : undefined, why);
  }
});

test("anonymous is signed for too: it shows that a request came through the edge", () => {
  const identity = verifyIdentity(signIdentity(anonymous, key, 1000, hmac), [key], 1000, hmac);
  assert.equal(identity?.role, "anonymous");
});
