import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { hmac } from "../../../lambda/access/hmac.ts";
import { createToken, listTokens, revokeToken } from "../../../lambda/access/tokens.ts";
import { decide } from "../../../lambda/edge/decide.ts";
import { verifyToken } from "../../../lambda/edge/token.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { WatchedTokens } from "../../../lambda/local/access/watched-tokens.ts";
import { tokenStoreContract } from "../../contract/token-store.ts";
import { basic } from "../../support/tokens.ts";

const now = 1_800_000_000;
const access = { anonymous: "none", private: "" } as const;
const request = { subject: "s", role: "viewer", modules: "", days: 1 };
let folder: string;
let data: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modfront-tokens-"));
  data = join(folder, "data");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => new SqliteTokenStore(data);

tokenStoreContract("SqliteTokenStore", async () => ({
  store: open(),
  other: open(),
  edge: async (time) => new WatchedTokens({ data, access, now: () => time }),
}));

test("the tokens are their owner's alone, and so is whatever lies beside them", async () => {
  await createToken(open(), request, now);
  for (const name of readdirSync(data)) {
    assert.match(name, /^tokens\.sqlite/);
    assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(data).mode & 0o777, 0o700);
});

test("what is damaged is never taken for empty, and what is newer not for damaged", async () => {
  const store = open();
  await createToken(store, request, now);
  store.close();
  writeFileSync(join(data, "tokens.sqlite"), "no database, and as long as a header of one must be".repeat(20));
  await assert.rejects(createToken(open(), request, now), { code: "tokens-unreadable", message: /damaged: restore/ });
  const watched = new WatchedTokens({ data, access, now: () => now });
  assert.equal(watched.tokens(), undefined);
  assert.equal(watched.text("r 1"), undefined);
});

test("two servers follow the tokens within a second, without any nobody has one, damaged they let nobody in", async () => {
  let time = now;
  const servers = [1, 2].map(() => new WatchedTokens({ data, access, now: () => time }));
  const status = (token: string) => {
    const said = servers.map((keyValues) => {
      const context = { keyValues, hmac, now: () => time };
      const decision = decide({ method: "GET", path: "/a.b/@v/list", credentials: basic(token) }, context);
      return decision.kind === "answer" ? `${decision.status} ${decision.body.trim()}` : "go";
    });
    assert.equal(new Set(said).size, 1, `${said}`);
    return said[0];
  };
  const elsewhere = await createToken(new SqliteTokenStore(join(folder, "other")), request, now);
  assert.equal(status(elsewhere.token), "401 this token is not valid here");
  assert.equal(existsSync(data), false, "looking makes nothing");

  const store = open();
  const { token, record } = await createToken(store, request, now);
  assert.equal(status(token), "401 this token is not valid here", "it was looked at in this second already");
  time += 1;
  assert.equal(status(token), "go");
  await revokeToken(store, record.id, now);
  time += 1;
  assert.equal(status(token), "401 this token was revoked");
  assert.equal(status(elsewhere.token), "401 this token is not valid here");

  store.close();
  rmSync(data, { recursive: true });
  time += 1;
  assert.equal(status(token), "401 this token is not valid here");
  mkdirSync(data);
  writeFileSync(join(data, "tokens.sqlite"), "{".repeat(1000));
  time += 1;
  assert.equal(status(token), "503 modfront cannot check access at the moment");
});

interface Fixture {
  readonly now: number;
  readonly tokens: readonly { readonly id: string; readonly token: string; readonly expected: string }[];
  readonly "access.json": string;
}

const fixture: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../access/testdata/data-folder-0.1.json"), "utf8"),
);

function layDown(): void {
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "access.json"), fixture["access.json"]);
}

/** What a server makes of each token of the fixture. */
function judged(time = fixture.now + 100): readonly string[] {
  const keyValues = new WatchedTokens({ data, access, now: () => time });
  const said = fixture.tokens.map(({ token }) => {
    const claims = verifyToken(token, keyValues, time, hmac);
    return typeof claims === "string" ? claims : "valid";
  });
  keyValues.close();
  return said;
}

test("a data folder of version 0.1 is taken over: its tokens go on, and those that were revoked stay so", async () => {
  const expected = fixture.tokens.map((token) => token.expected);
  layDown();
  assert.deepEqual(judged(), expected, "by the server alone");
  assert.deepEqual(readdirSync(data).includes("access.json"), false);
  assert.deepEqual(judged(), expected, "and again");
  const store = open();
  const { items } = await listTokens(store, fixture.now, { limit: 1000 });
  assert.deepEqual(new Set(items.map(({ id }) => id)), new Set(fixture.tokens.map(({ id }) => id)));
  assert.equal(items.filter(({ revoked }) => revoked !== undefined).length, 60);
});

test("a take-over that ended between database and file is taken up again, and brings back nothing", async () => {
  layDown();
  const store = open();
  const alive = fixture.tokens.find(({ expected }) => expected === "valid");
  await revokeToken(store, alive?.id ?? "", fixture.now);
  layDown();
  const expected = fixture.tokens.map((token) => (token === alive ? "revoked" : token.expected));
  assert.deepEqual(judged(), expected);
  assert.equal(existsSync(join(data, "access.json")), false);
});

test("a damaged file of version 0.1 is never taken for an empty one", async () => {
  for (const text of ["", "{", "null", "{}", '{"keys":[]}']) {
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "access.json"), text);
    await assert.rejects(createToken(open(), request, now), { code: "tokens-unreadable" }, text);
    assert.equal(new WatchedTokens({ data, access, now: () => now }).tokens(), undefined, text);
    assert.equal(readFileSync(join(data, "access.json"), "utf8"), text);
  }
});
