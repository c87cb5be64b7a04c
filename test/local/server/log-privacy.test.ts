import assert from "node:assert/strict";
import { test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import type { Anonymous } from "../../../lambda/edge/access-settings.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { FrontDoor, script } from "../../support/front-door.ts";
import { moduleFixture } from "../../support/module-fixture.ts";
import { basic } from "../../support/tokens.ts";

// Of a private module nobody learns anything by our log who may not read it: lookups, tiles, heads and what errors say are
// the same whether there is such a module or not, and nothing is fetched for whoever must not know.

const secret = moduleFixture("corp.example/team/secret");
const other = moduleFixture("corp.example/other/thing");
const open = moduleFixture("example.com/m");

/** Who asks, and which private modules they may read; `undefined` has no token. */
const callers = {
  stranger: undefined,
  outsider: "elsewhere.example",
  colleague: "corp.example/other",
  insider: "corp.example",
};
type Caller = keyof typeof callers;

class World implements AsyncDisposable {
  readonly door: FrontDoor;
  readonly name: string;
  readonly #tokens: ReadonlyMap<Caller, string>;

  private constructor(door: FrontDoor, name: string, tokens: ReadonlyMap<Caller, string>) {
    this.door = door;
    this.name = name;
    this.#tokens = tokens;
  }

  static async start(anonymous: Anonymous): Promise<World> {
    const door = await FrontDoor.start({ access: { anonymous }, log: { name: "sums.corp.example" } });
    await door.publish(open);
    const store = new SqliteTokenStore(door.data);
    const now = Math.floor(Date.now() / 1000);
    const tokens = new Map<Caller, string>();
    for (const [caller, modules] of Object.entries(callers))
      if (modules !== undefined)
        tokens.set(
          caller as Caller,
          (await createToken(store, { subject: "x", role: "viewer", modules, days: 1 }, now)).token,
        );
    return new World(door, "sums.corp.example", tokens);
  }

  /** An answer, with what tells one token from another taken out. */
  async ask(caller: Caller, path: string): Promise<string> {
    const token = this.#tokens.get(caller);
    const headers: Record<string, string> = token === undefined ? {} : { authorization: basic(token) };
    const answer = await this.door.ask({ path, headers });
    return answer.replace(/token [\w-]+ does/, "token ID does").replace(/^content-length: .*$/m, "");
  }

  lookup(caller: Caller, { path, version }: { readonly path: string; readonly version: string }): Promise<string> {
    return this.ask(caller, `/sumdb/${this.name}/lookup/${path}@${version}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.door[Symbol.asyncDispose]();
  }
}

const statusOf = (answer: string) => Number(answer.slice(0, 3));

for (const anonymous of ["none", "public"] as const)
  test(`access.anonymous ${anonymous}: who may not read a module learns nothing of it by the log`, async () => {
    await using world = await World.start(anonymous);
    for (const module of [secret, other]) script(world.door.corp, module);
    const ghosts = [
      { path: "corp.example/team/ghost", version: "v1.0.0" },
      { path: secret.path, version: "v9.9.9" },
    ];
    const outside = ["stranger", "outsider", "colleague"] as const;
    const asked = (caller: Caller) => Promise.all([secret, ...ghosts].map((module) => world.lookup(caller, module)));

    // Before anybody who may has asked: nothing is fetched, and what is there is refused like what is not.
    for (const caller of outside) {
      const answers = await asked(caller);
      assert.equal(new Set(answers).size, 1, caller);
      assert.equal(statusOf(answers[0] ?? ""), caller === "stranger" ? 401 : 403);
      assert.match(answers[0] ?? "", /cache-control: no-store/);
    }
    assert.deepEqual(world.door.corp.requests, []);
    const unstored = new Map(await Promise.all(outside.map(async (caller) => [caller, await asked(caller)] as const)));

    const found = await world.lookup("insider", secret);
    assert.equal(statusOf(found), 200);
    assert.ok(found.includes(`${secret.path} v1.0.0 h1:`));
    // Another shared cache may not keep it for others (RFC 9111, 3.5).
    assert.match(found, /cache-control: max-age=3600\n/);
    assert.equal(statusOf(await world.lookup("colleague", other)), 200);
    assert.equal(statusOf(await world.lookup("insider", open)), 200);
    for (const caller of outside) assert.deepEqual(await asked(caller), unstored.get(caller), caller);

    // Heads and hashes are for whoever may read public modules, records for whoever may read all of a tile.
    const tile = (of: string) => `/sumdb/${world.name}/tile/8/${of}/000.p/3`;
    for (const caller of Object.keys(callers) as Caller[]) {
      const mayRead = caller !== "stranger" || anonymous === "public";
      for (const path of [`/sumdb/${world.name}/latest`, `/sumdb/${world.name}/supported`, tile("0")])
        assert.equal(statusOf(await world.ask(caller, path)), mayRead ? 200 : 401, `${caller} ${path}`);
      const records = await world.ask(caller, tile("data"));
      assert.equal(statusOf(records), caller === "insider" ? 200 : mayRead ? 403 : 401, caller);
      assert.match(records, /cache-control: no-store/);
      assert.equal(records.includes("corp.example/"), caller === "insider", caller);
      assert.equal(statusOf(await world.lookup(caller, open)), mayRead ? 200 : 401, caller);
    }
    // What was answered to somebody who may is not kept for the next.
    assert.equal(statusOf(await world.ask("outsider", tile("data"))), 403);
    assert.equal(statusOf(await world.lookup("outsider", secret)), 403);
  });

test("a tile of public records is for whoever may read public modules", async () => {
  await using world = await World.start("public");
  assert.equal(statusOf(await world.lookup("stranger", open)), 200);
  const records = await world.ask("stranger", `/sumdb/${world.name}/tile/8/data/000.p/1`);
  assert.equal(statusOf(records), 200);
  assert.match(records, /cache-control: no-store/);
  assert.ok(records.includes("example.com/m v1.0.0 h1:"));
});
