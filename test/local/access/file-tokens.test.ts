import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { hmac } from "../../../lambda/access/hmac.ts";
import { createToken, listTokens, revokeToken } from "../../../lambda/access/tokens.ts";
import { WholeTokenStore } from "../../../lambda/access/whole-token-store.ts";
import { decide } from "../../../lambda/edge/decide.ts";
import { FileTokenStore } from "../../../lambda/local/access/file-token-store.ts";
import { WatchedTokenFile } from "../../../lambda/local/access/watched-token-file.ts";
import { tokenStoreContract } from "../../contract/token-store.ts";
import { basic } from "../../support/tokens.ts";

const now = 1_800_000_000;
const access = { anonymous: "none", private: "" } as const;
const request = { subject: "s", role: "viewer", modules: "", days: 1 };
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modfront-tokens-"));
  path = join(folder, "data", "access.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => new WholeTokenStore(new FileTokenStore(path));

tokenStoreContract("FileTokenStore", async () => ({
  store: open(),
  other: open(),
  edge: async (time) => new WatchedTokenFile({ path, access, now: () => time }),
}));

test("the file is its owner's alone, and nothing else is left in the folder", async () => {
  await createToken(open(), request, now);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, "data")), ["access.json"]);
});

test("a change that throws writes nothing and leaves no lock", async () => {
  const store = open();
  const { record } = await createToken(store, request, now);
  await assert.rejects(revokeToken(store, "nobody", now), { code: "no-such-token" });
  assert.deepEqual((await listTokens(store, now)).items, [record]);
  assert.deepEqual(readdirSync(join(folder, "data")), ["access.json"]);
});

test("a damaged file is never taken for an empty one", async () => {
  const store = open();
  await createToken(store, request, now);
  for (const text of ["", "{", "null", "{}", '{"keys":[]}']) {
    writeFileSync(path, text);
    await assert.rejects(createToken(store, request, now), { code: "tokens-unreadable" }, text);
  }
});

test("the server follows the file within a second, without it nobody has a token, damaged it lets nobody in", async () => {
  let time = now;
  const context = { keyValues: new WatchedTokenFile({ path, access, now: () => time }), hmac, now: () => time };
  const status = (token: string) => {
    const credentials = basic(token);
    const decision = decide({ method: "GET", path: "/a.b/@v/list", credentials }, context);
    return decision.kind === "answer" ? `${decision.status} ${decision.body.trim()}` : "go";
  };
  const elsewhere = await createToken(
    new WholeTokenStore(new FileTokenStore(join(folder, "other.json"))),
    request,
    now,
  );
  assert.equal(status(elsewhere.token), "401 this token is not valid here");

  const store = open();
  const { token, record } = await createToken(store, request, now);
  assert.equal(status(token), "401 this token is not valid here", "the file was looked at in this second already");
  time += 1;
  assert.equal(status(token), "go");
  await revokeToken(store, record.id, now);
  time += 1;
  assert.equal(status(token), "401 this token was revoked");
  assert.equal(status(elsewhere.token), "401 this token is not valid here");

  writeFileSync(path, "{");
  time += 1;
  assert.equal(status(token), "503 modfront cannot check access at the moment");
  rmSync(path);
  time += 1;
  assert.equal(status(token), "401 this token is not valid here");
});
